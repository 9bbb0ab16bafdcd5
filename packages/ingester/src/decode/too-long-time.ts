import type { DeviceAckWarning } from '@qs-telemetry/protocol'
import { warning } from './warning.ts'

/** Whatever LIMIT_TS_DEVICE_BYTES is, so that its change turns no later redelivery into a conflict. */
const KEPT_BYTES = 28
/** Says that the text went on. compare-events.ts takes it for any end. */
const CUT = '…'

/**
 * What is kept of a ts_device that is longer than its limit: nothing that long is a time, so it costs the event nothing
 * but the device time, and must not cost the database 255 KB either.
 */
export function beginningOf(raw: string): string {
  let [kept, bytes] = ['', 0]
  for (const character of raw.slice(0, KEPT_BYTES)) {
    bytes += Buffer.byteLength(character)
    if (bytes > KEPT_BYTES) break
    kept += character
  }
  return `${kept.toWellFormed() === kept ? kept : kept.slice(0, -1)}${CUT}`
}

export function tooLongTime(limitBytes: number): DeviceAckWarning {
  return warning(
    'TS_DEVICE_TOO_LONG',
    `Stored without device time: ts_device is longer than ${limitBytes} bytes`,
  )
}
