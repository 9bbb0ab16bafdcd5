import { LARGEST_PLAIN, powerText } from './power-text.ts'

/** A line as the charts draw it. */
export interface ChartLine {
  /** Distinguishes lines with the same label. */
  readonly key: string
  readonly label: string
  /** Index in the palette, fixed while other lines come and go. */
  readonly style: number
  readonly unit: string | null
  /** Unix seconds, ascending. */
  readonly times: readonly number[]
  readonly mean: readonly number[]
  /** Absent if every point is one value. */
  readonly min?: readonly number[]
  readonly max?: readonly number[]
  /** Formats a value with its unit. Default: the number and the unit of the line. */
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

/** Four significant digits, six from 1,000 on; from 100,000 on all digits before the point. */
export function numberText(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size < 0.001 || size >= LARGEST_PLAIN)) return powerText(value, 3)
  const digits = size >= 100_000 ? WHOLE : size >= 1000 ? SIX_DIGITS : FOUR_DIGITS
  // Adding zero removes the sign of a negative zero.
  return digits.format(value + 0).replace('-', '−')
}

/** The value with its unit, if any. */
export function valueText({ unit, textOf }: ChartLine, value: number): string {
  return textOf?.(value) ?? [numberText(value), unit].filter(Boolean).join(' ')
}
