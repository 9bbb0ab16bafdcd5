import type { DeviceAckWarning, WarningCode } from '@qs-telemetry/protocol'
import { clean } from '../pipeline/rejection.ts'

/*
 * All warnings of a device ack: the event is stored, but not exactly as it was sent. The important part comes first: a
 * device ack for a small buffer cuts the end of the message.
 */

const MAX_SHOWN = 40
const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000]

export const TIME_UNREADABLE = warning(
  'TS_DEVICE_UNREADABLE',
  'Stored without device time: send ISO 8601, 2026-01-15T12:00:00Z, or Unix time as a number',
)

export const AGE_UNUSABLE = warning(
  'AGE_UNUSABLE',
  'age_ms is ignored: send the milliseconds since the measurement, a number of 0 or more',
)

/** @param aheadMs of the server time; negative if the device time is behind it */
export function implausibleTime(aheadMs: number, hasAge: boolean): DeviceAckWarning {
  const used = hasAge ? 'server time less age_ms' : 'server time'
  const [far, side] = [distance(Math.abs(aheadMs)), aheadMs < 0 ? 'behind' : 'ahead of']
  return warning(
    'TS_DEVICE_IMPLAUSIBLE',
    `Charts use the ${used}: ts_device is ${far} ${side} it. Set the clock, or omit ts_device`,
  )
}

export function tooLongTime(limitBytes: number): DeviceAckWarning {
  return warning(
    'TS_DEVICE_TOO_LONG',
    `Stored without device time: ts_device is longer than ${limitBytes} bytes`,
  )
}

/** @param stored the double */
export function roundedValue(stored: unknown): DeviceAckWarning {
  return warning(
    'VALUE_ROUNDED',
    `Stored as ${stored}, the nearest double. To keep all digits, send the number as a string`,
  )
}

export function repeatedKeyOf(key: string): DeviceAckWarning {
  const shown = JSON.stringify(clean(key.slice(0, MAX_SHOWN)))
  return warning('KEY_REPEATED', `Stored with the last value of ${shown}: an object has this key twice`)
}

/** With a code from the closed list. */
function warning(code: WarningCode, message: string): DeviceAckWarning {
  return { code, message }
}

function distance(ms: number): string {
  if (ms < 2 * DAY_MS) return `${Math.round((ms / HOUR_MS) * 10) / 10} h`
  return `${Math.round(ms / DAY_MS)} days`
}
