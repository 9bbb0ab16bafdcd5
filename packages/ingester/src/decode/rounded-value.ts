import type { DeviceAckWarning } from '@qs-telemetry/protocol'
import { exactDigits } from './exact-numbers.ts'
import { warning } from './warning.ts'

const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** @param exact the value as parseExact has it: nothing else can be rounded */
export function roundedValue(value: unknown, exact: unknown): DeviceAckWarning | null {
  if (typeof value !== 'number' || typeof exact !== 'string') return null
  const digits = exactDigits(exact)
  if (digits === null || significant(digits) === significant(String(value))) return null
  return warning(
    'VALUE_ROUNDED',
    `Stored as ${value}: a double has no more digits. Send a number that needs all of them as a string`,
  )
}

/**
 * A decimal number as its digits without zeros around them, and the exponent of the last one: 1.50 and 15e-1 are the same.
 * The sign plays no part: a double keeps it.
 */
function significant(number: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(number) ?? []
  const digits = whole + fraction
  const kept = digits.replace(/0+$/, '')
  const leading = kept.replace(/^0+/, '')
  return leading === ''
    ? '0'
    : `${leading}e${Number(exponent) - fraction.length + digits.length - kept.length}`
}
