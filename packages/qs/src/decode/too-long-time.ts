import type { DeviceAckWarning } from '@qs-telemetry/protocol'
import { warning } from './warning.ts'

/** Independent of LIMIT_TS_DEVICE_BYTES: a changed limit must not turn a later redelivery into a conflict. */
const KEPT_BYTES = 28
/** Marks a text that was cut. compare-events.ts accepts any end in its place. */
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
