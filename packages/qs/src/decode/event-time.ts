import { type DeviceAckWarning, type DeviceTime, formatInstant, type Instant } from '@qs-telemetry/protocol'
import type { Event } from '../pipeline/message.ts'
import { AGE_UNUSABLE, implausibleTime, TIME_UNREADABLE } from './warnings.ts'

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

/** How long before sending an event was measured, in milliseconds; null if not given. */
export type EventAge = number | 'unusable' | null

/** @param maxMs a larger age is an error, such as a wrapped counter, just like a clock that far behind */
export function readAge(value: unknown, maxMs: number): EventAge {
  if (value === undefined || value === null) return null
  return typeof value === 'number' && value >= 0 && value <= maxMs ? value : 'unusable'
}

/** The instant `ageMs` milliseconds earlier, to the microsecond. */
export function earlier({ epochMs, micros }: Instant, ageMs: number): Instant {
  const left = micros - Math.round(ageMs * 1000)
  const wholeMs = Math.floor(left / 1000)
  return { epochMs: epochMs + wholeMs, micros: left - wholeMs * 1000 }
}

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
        warning: TIME_UNREADABLE,
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
        warning: isPlausible ? warningOf(age) : implausibleTime(aheadMs, typeof age === 'number'),
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
