/** `unknown`: the check could not run, and the detail says why. */
export type Status = 'ok' | 'warning' | 'problem' | 'unknown'

/** The result of one check. */
export interface Finding {
  /** The subject of the check: `broker queue`, `database fsync`. */
  readonly name: string
  readonly status: Status
  readonly detail: string
  /** What to do about it; null if nothing. */
  readonly advice: string | null
}

export function ok(name: string, detail: string): Finding {
  return { name, status: 'ok', detail, advice: null }
}

export function warning(name: string, detail: string, advice: string): Finding {
  return { name, status: 'warning', detail, advice }
}

export function problem(name: string, detail: string, advice: string): Finding {
  return { name, status: 'problem', detail, advice }
}

export function unknown(name: string, detail: string, advice: string | null = null): Finding {
  return { name, status: 'unknown', detail, advice }
}
