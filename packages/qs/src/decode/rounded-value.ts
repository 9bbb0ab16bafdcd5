import type { DeviceAckWarning } from '@qs-telemetry/protocol'
import { warning } from './warning.ts'

/** @param exact the number as sent, if the double has other digits */
export function roundedValue(value: unknown, exact: string | null): DeviceAckWarning | null {
  if (exact === null) return null
  return warning(
    'VALUE_ROUNDED',
    `Stored as ${value}, the nearest double. To keep all digits, send the number as a string`,
  )
}
