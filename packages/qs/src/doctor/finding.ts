/** `unknown`: it could not be checked, and the detail says why. */
export type Status = 'ok' | 'warning' | 'problem' | 'unknown'

/** What one check found out. */
export interface Finding {
  /** What was looked at: `broker queue`, `database fsync`. */
  readonly name: string
  readonly status: Status
  readonly detail: string
  /** What to do about it; null where there is nothing to do. */
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
