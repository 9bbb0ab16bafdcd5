import { LARGEST_PLAIN, powerText } from './power-text.ts'

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
const WHOLE = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 })

/** Few digits where they say enough; a counter keeps all the digits before the point. */
export function numberText(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size < 0.001 || size >= LARGEST_PLAIN)) return powerText(value, 3)
  const digits = size >= 100_000 ? WHOLE : size >= 1000 ? SIX_DIGITS : FOUR_DIGITS
  // Adding zero takes the sign from a negative zero.
  return digits.format(value + 0).replace('-', '−')
}

/** With the unit, where there is one. */
export function valueText({ unit, textOf }: ChartLine, value: number): string {
  return textOf?.(value) ?? [numberText(value), unit].filter(Boolean).join(' ')
}
