import type { DeviceAckWarning } from '@qs-telemetry/protocol'
import { warning } from './warning.ts'

/** Independent of LIMIT_TS_DEVICE_BYTES: a changed limit must not turn a later redelivery into a conflict. */
const KEPT_BYTES = 28
/** Marks a truncated text. compare-events.ts accepts any ending in its place. */
const CUT = '…'

/**
 * The part to keep of a ts_device beyond its limit. Nothing that long is a time, so the event loses only its device
 * time, and the database need not store 255 KB.
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
