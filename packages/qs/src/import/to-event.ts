import { formatInstant, type Instant, isDeviceId } from '@qs-telemetry/protocol'
import { decodeEvent } from '../decode/decode-event.ts'
import type { DecodeOptions } from '../decode/decode-options.ts'
import type { Event } from '../pipeline/message.ts'
import { madeId } from './event-id.ts'
import type { Mapped } from './map-record.ts'
import type { LineFault } from './source-record.ts'

const NO_DEVICE = fault(
  'NO_DEVICE',
  'It has no device_id: name its column, --map device_id={column}, or say --device ID',
)
const NO_TYPE = fault(
  'NO_TYPE',
  'It has no event_type: name its column, --map event_type={column}, or say --type TYPE',
)
const NO_TIME = fault('NO_TIME', 'It has no time: name its column, --map time={column}')

/**
 * The event of a record, decoded like one from a device, but its time is trusted however old it is. A time to come is
 * a mistake of unit or zone.
 *
 * @param now the server time of the event
 */
export function toEvent(
  { element, exact, hasId }: Mapped,
  options: DecodeOptions,
  now: Instant,
): Event | LineFault {
  const { device_id: deviceId, event_type: eventType, ts_device: time } = element
  if (typeof deviceId !== 'string') return NO_DEVICE
  if (eventType === undefined) return NO_TYPE
  if (time === undefined) return NO_TIME
  if (!isDeviceId(deviceId))
    return fault(
      'INVALID_FIELD',
      `device_id ${JSON.stringify(deviceId)} contains / + # or a control character`,
    )
  const context = { options, deviceId, receivedAt: now, tsServer: formatInstant(now) }
  const event = decodeEvent(element, exact, context)
  if (event.kind === 'rejection') return { code: event.code, message: event.message }
  if (event.tsDevice === null)
    return fault(
      'TIME_UNREADABLE',
      `The time is ${JSON.stringify(time)}: it takes ISO 8601, 2026-01-15T12:00:00Z, or Unix time`,
    )
  if (event.ts !== event.tsDevice)
    return fault('TIME_TO_COME', `${event.tsDevice} is yet to come: check --time-unit and --timezone`)
  // In place: to copy an event costs as much as to decode it.
  if (!hasId) (event as { eventId: string }).eventId = madeId(event, options.limits.idBytes)
  return event
}

function fault(code: string, message: string): LineFault {
  return { code, message }
}
