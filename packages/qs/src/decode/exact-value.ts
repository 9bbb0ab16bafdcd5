import { exactDigits } from './exact-numbers.ts'

const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/
/** Up to this many places are written out; beyond that an exponent is shorter. */
const MAX_PLACES = 20
/** The maximum of Number.prototype.toPrecision. */
const MAX_PRECISION = 100

/**
 * The number as sent, if the nearest double has other digits; null if nothing is lost. Equal numbers give equal texts,
 * however they are written, so that comparing texts tells a duplicate from a conflict.
 *
 * @param exact the value from parseExact: no other value can lose digits
 */
export function exactValue(value: unknown, exact: unknown): string | null {
  if (typeof value !== 'number' || typeof exact !== 'string') return null
  const digits = exactDigits(exact)
  if (digits === null) return null
  const sent = readNumber(digits)
  if (isSame(sent, readNumber(String(value)))) return null
  // printf("%.17g") writes 0.1 as 0.10000000000000001, which is the same double with that many digits.
  const places = sent.digits.length
  if (places <= MAX_PRECISION && isSame(sent, readNumber(value.toPrecision(places)))) return null
  return `${value < 0 ? '-' : ''}${writeNumber(sent)}`
}

/** Digits without leading and trailing zeros, times ten to the exponent. The sign is omitted: a double keeps it. */
interface Decimal {
  readonly digits: string
  readonly exponent: number
}

const ZERO: Decimal = { digits: '0', exponent: 0 }

function isSame(one: Decimal, other: Decimal): boolean {
  return one.digits === other.digits && one.exponent === other.exponent
}

function readNumber(text: string): Decimal {
  const [, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? []
  const all = whole + fraction
  // Not with a regular expression: /0+$/ takes quadratic time, 8 s for a number of 256 KiB.
  let [first, end] = [0, all.length]
  while (all[first] === '0') first++
  while (end > first && all[end - 1] === '0') end--
  if (first === end) return ZERO
  return { digits: all.slice(first, end), exponent: Number(exponent) - fraction.length + all.length - end }
}

/** A readable JSON number: 12345678901234567.89, 123456789012345678900, 1.5e300 as 15e299. */
function writeNumber({ digits, exponent }: Decimal): string {
  if (exponent >= 0 && exponent <= MAX_PLACES) return digits + '0'.repeat(exponent)
  const point = digits.length + exponent
  if (exponent > 0 || point < -MAX_PLACES) return `${digits}e${exponent}`
  return point > 0 ? `${digits.slice(0, point)}.${digits.slice(point)}` : `0.${'0'.repeat(-point)}${digits}`
}
