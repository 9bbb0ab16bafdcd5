/** Lines that a chart takes; the API answers no more of them. */
export const MAX_LINES = 50

export interface FittingLines {
  readonly devices: readonly string[]
  readonly types: readonly string[]
  /** Lines that do not fit. */
  readonly left: number
}

/** Of the chosen devices the first ones, each with all types, as far as a chart has room for their lines. */
export function fittingLines(devices: readonly string[], types: readonly string[]): FittingLines {
  const some = types.slice(0, MAX_LINES)
  const shown = devices.slice(0, Math.floor(MAX_LINES / Math.max(1, some.length)))
  return { devices: shown, types: some, left: devices.length * types.length - shown.length * some.length }
}
