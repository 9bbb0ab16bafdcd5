/** A line as the charts draw it. */
export interface ChartLine {
  /** Tells lines of the same label apart. */
  readonly key: string
  readonly label: string
  /** Index in the palette: its colour stays while other lines come and go. */
  readonly style: number
  readonly unit: string | null
  /** Unix seconds, ascending. */
  readonly times: readonly number[]
  readonly mean: readonly number[]
  /** Absent: every point is one value. */
  readonly min?: readonly number[]
  readonly max?: readonly number[]
  /** A value with its unit. Absent: the number and the unit of the line. */
  readonly textOf?: (value: number) => string
}

export interface Annotation {
  /** Unix seconds. */
  readonly time: number
  readonly text: string
}

const FOUR_DIGITS = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 4 })
const SIX_DIGITS = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 6 })

/** Few digits where they say enough. */
export function numberText(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size < 0.001 || size >= 1e9)) return value.toExponential(2).replace(/-/g, '−')
  const digits = size >= 1000 ? SIX_DIGITS : FOUR_DIGITS
  // Adding zero takes the sign from a negative zero.
  return digits.format(value + 0).replace('-', '−')
}

/** With the unit, where there is one. */
export function valueText({ unit, textOf }: ChartLine, value: number): string {
  return textOf?.(value) ?? [numberText(value), unit].filter(Boolean).join(' ')
}
