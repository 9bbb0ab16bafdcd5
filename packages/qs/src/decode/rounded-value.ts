import type { DeviceAckWarning } from '@qs-telemetry/protocol'
import { warning } from './warning.ts'

/** @param exact the number that was sent, where the double has other digits */
export function roundedValue(value: unknown, exact: string | null): DeviceAckWarning | null {
  if (exact === null) return null
  return warning(
    'VALUE_ROUNDED',
    `Stored as ${value}: a double has no more digits. Send a number that needs all of them as a string`,
  )
}
