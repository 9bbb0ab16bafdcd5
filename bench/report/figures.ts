import type { Spread } from './median.ts'

export const NONE = '–'

/** Formats with thousands separators and the given decimals; a dash for no value. */
export function figure(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined) return NONE
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** The median alone. */
export function middle(spread: Spread | null, digits = 0): string {
  return figure(spread?.median, digits)
}

/** From the least to the most; a dash for a single value. */
export function range(spread: Spread | null, digits = 0): string {
  if (spread === null || spread.least === spread.most) return NONE
  return `${figure(spread.least, digits)} to ${figure(spread.most, digits)}`
}
