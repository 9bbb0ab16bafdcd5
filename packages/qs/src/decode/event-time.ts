import { type DeviceAckWarning, type DeviceTime, formatInstant, type Instant } from '@qs-telemetry/protocol'
import type { Event } from '../pipeline/message.ts'
import { type EventAge, earlier } from './event-age.ts'
import { warning } from './warning.ts'

export interface ClockTrust {
  readonly maxPastMs: number
  readonly maxFutureMs: number
}

/** When a message arrived, in both forms. */
export interface Arrival {
  readonly receivedAt: Instant
  readonly tsServer: string
}

export type EventTime = Pick<Event, 'ts' | 'tsDevice' | 'tsDeviceLocal' | 'tsDeviceRaw' | 'warning'>

const UNREADABLE = warning(
  'TS_DEVICE_UNREADABLE',
  'Stored without device time: send ISO 8601, 2026-01-15T12:00:00Z, or Unix time as a number',
)

const AGE_UNUSABLE = warning(
  'AGE_UNUSABLE',
  'age_ms is ignored: send the milliseconds since the measurement, a number of 0 or more',
)

/**
 * Event time is the device time if it is plausible, so that a board in 1970 does not ruin a chart. Otherwise it is the
 * server time, less the age of the event if given.
 */
export function eventTime(
  device: DeviceTime,
  age: EventAge,
  arrival: Arrival & { readonly trust: ClockTrust },
): EventTime {
  switch (device.kind) {
    case 'absent':
      return {
        ts: withoutClock(age, arrival),
        tsDevice: null,
        tsDeviceLocal: null,
        tsDeviceRaw: null,
        warning: warningOf(age),
      }
    case 'unreadable':
      return {
        ts: withoutClock(age, arrival),
        tsDevice: null,
        tsDeviceLocal: null,
        tsDeviceRaw: device.raw,
        warning: UNREADABLE,
      }
    case 'instant':
    case 'local': {
      const { receivedAt, trust } = arrival
      const aheadMs = device.at.epochMs - receivedAt.epochMs
      const isPlausible = aheadMs <= trust.maxFutureMs && aheadMs >= -trust.maxPastMs
      const tsDevice = formatInstant(device.at)
      return {
        ts: isPlausible ? tsDevice : withoutClock(age, arrival),
        tsDevice,
        tsDeviceLocal: device.kind === 'local' ? device.wall : null,
        tsDeviceRaw: null,
        warning: isPlausible ? warningOf(age) : implausible(aheadMs, typeof age === 'number'),
      }
    }
  }
}

function withoutClock(age: EventAge, { receivedAt, tsServer }: Arrival): string {
  return typeof age === 'number' ? formatInstant(earlier(receivedAt, age)) : tsServer
}

function warningOf(age: EventAge): DeviceAckWarning | null {
  return age === 'unusable' ? AGE_UNUSABLE : null
}

/** The important part comes first: a device ack for a small buffer cuts the end of the message. */
function implausible(aheadMs: number, hasAge: boolean): DeviceAckWarning {
  const used = hasAge ? 'server time less age_ms' : 'server time'
  const [far, side] = [distance(Math.abs(aheadMs)), aheadMs < 0 ? 'behind' : 'ahead of']
  return warning(
    'TS_DEVICE_IMPLAUSIBLE',
    `Charts use the ${used}: ts_device is ${far} ${side} it. Set the clock, or omit ts_device`,
  )
}

const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000]

function distance(ms: number): string {
  if (ms < 2 * DAY_MS) return `${Math.round((ms / HOUR_MS) * 10) / 10} h`
  return `${Math.round(ms / DAY_MS)} days`
}
