/** Most lines of a chart, and of an answer of the API. */
export const MAX_LINES = 50

export interface FittingLines {
  readonly devices: readonly string[]
  readonly types: readonly string[]
  /** Lines that do not fit. */
  readonly left: number
}

/** The first of the chosen devices, each with all types, up to the most lines of a chart. */
export function fittingLines(devices: readonly string[], types: readonly string[]): FittingLines {
  const some = types.slice(0, MAX_LINES)
  const shown = devices.slice(0, Math.floor(MAX_LINES / Math.max(1, some.length)))
  return { devices: shown, types: some, left: devices.length * types.length - shown.length * some.length }
}
