import { CONTRACT_VERSION, type Limits, type WireEvent } from '@qs-telemetry/protocol'
import { DeviceError } from './errors.ts'

/** An event as a caller hands it over. `schema` and `device_id` are filled in, and `event_id` if absent. */
export type OutgoingEvent = Omit<WireEvent, 'schema' | 'device_id' | 'event_id'> &
  Partial<Pick<WireEvent, 'schema' | 'device_id' | 'event_id'>>

export interface CompletedEvent {
  readonly eventId: string
  /** Serialized once, without `age_ms`: a redelivery has the same content, so it can never become a conflict. */
  readonly json: string
  /** Its `age_ms` when it was handed over; null if it has none. */
  readonly ageMs: number | null
  /** Bytes of UTF-8, the age included. */
  readonly bytes: number
}

/** `,"age_ms":` and the longest number after it. */
const AGE_BYTES = 32

/** The event as sent now: its age grows while it waits, since it says how long ago it was measured. */
export function jsonNow({ json, ageMs }: Pick<CompletedEvent, 'json' | 'ageMs'>, waitedMs: number): string {
  return ageMs === null
    ? json
    : `${json.slice(0, -1)},"age_ms":${Math.round((ageMs + waitedMs) * 1000) / 1000}}`
}

export interface CompletionContext {
  readonly deviceId: string
  readonly nextEventId: () => string
  readonly limits: Limits
}

/**
 * Completes and serializes an event. Checks only what JSON would silently change or what would block the other
 * events of a message; the ingester judges the rest by its own limits.
 *
 * @throws DeviceError `EVENT_INVALID` or `EVENT_TOO_LARGE`.
 */
export function completeEvent(event: OutgoingEvent, context: CompletionContext): CompletedEvent {
  const { deviceId } = context
  checkDevice(event.device_id ?? deviceId, context)
  // JSON.stringify turns NaN and Infinity into null: the event would be stored without its value.
  if (typeof event.value === 'number' && !Number.isFinite(event.value)) {
    throw invalid(`value is ${event.value}; send a finite number, or leave it out`)
  }
  const eventId = checkedId(event.event_id ?? context.nextEventId(), context)
  if (typeof event.age_ms === 'number' && !Number.isFinite(event.age_ms)) {
    throw invalid(`age_ms is ${event.age_ms}; send a finite number, or leave it out`)
  }
  const { ageMs, content } = apart(event)
  const json = serialize({ ...content, schema: CONTRACT_VERSION, event_id: eventId, device_id: deviceId })
  return sized({ eventId, json, ageMs }, context)
}

function checkDevice(claimed: unknown, { deviceId }: CompletionContext): void {
  if (claimed !== deviceId)
    throw invalid(`device_id is "${claimed}", but this client publishes as "${deviceId}"`)
}

function checkedId(eventId: unknown, { limits }: CompletionContext): string {
  if (typeof eventId === 'string' && eventId !== '' && Buffer.byteLength(eventId) <= limits.idBytes)
    return eventId
  throw invalid(`event_id must be a string of 1 to ${limits.idBytes} bytes; it is ${JSON.stringify(eventId)}`)
}

function sized(event: Omit<CompletedEvent, 'bytes'>, { limits }: CompletionContext): CompletedEvent {
  const bytes = Buffer.byteLength(event.json) + (event.ageMs === null ? 0 : AGE_BYTES)
  if (bytes <= limits.messageBytes) return { ...event, bytes }
  throw new DeviceError(
    'EVENT_TOO_LARGE',
    `Event "${event.eventId}" has ${bytes} bytes; a message may have ${limits.messageBytes}`,
  )
}

/**
 * Like completeEvent, for an event that is JSON text: missing fields are put in front, and the rest is sent as it is,
 * including digits beyond a double and repeated keys.
 *
 * @throws DeviceError as completeEvent, and if it is not a JSON object
 */
export function completeText(text: string, context: CompletionContext): CompletedEvent {
  const event = readObject(text)
  const { event_id: eventId = context.nextEventId(), device_id: deviceId = context.deviceId } = event
  checkDevice(deviceId, context)
  const missing = { schema: CONTRACT_VERSION, event_id: eventId, device_id: deviceId, ...event }
  const added = Object.entries(missing).filter(([name]) => !Object.hasOwn(event, name))
  // Strings in JSON have no raw line breaks, and a journal line is one event.
  const inner = text
    .trim()
    .slice(1, -1)
    .replace(/[\r\n]+/g, ' ')
    .trim()
  const members = [JSON.stringify(Object.fromEntries(added)).slice(1, -1), inner].filter(
    (each) => each !== '',
  )
  return sized({ eventId: checkedId(eventId, context), json: `{${members.join(',')}}`, ageMs: null }, context)
}

function readObject(text: string): OutgoingEvent {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new DeviceError('EVENT_INVALID', 'The event is not JSON', { cause })
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as OutgoingEvent
  throw invalid('The event is not a JSON object')
}

/**
 * An event from the journal. How long the process was down is unknown, so its age continues from the value at which it
 * was handed over.
 */
export function readKept(line: string): CompletedEvent {
  const event = JSON.parse(line) as WireEvent
  const { ageMs, content } = apart(event)
  const json = ageMs === null ? line : serialize(content)
  const bytes = Buffer.byteLength(json) + (ageMs === null ? 0 : AGE_BYTES)
  return { eventId: event.event_id, json, ageMs, bytes }
}

/** Splits off a valid age. Any other stays in the event: the ingester says what is wrong with it. */
function apart<T extends Pick<WireEvent, 'age_ms'>>(
  event: T,
): { readonly ageMs: number | null; readonly content: T } {
  const { age_ms: age, ...content } = event
  return typeof age === 'number' && age >= 0
    ? { ageMs: age, content: content as T }
    : { ageMs: null, content: event }
}

function serialize(event: WireEvent): string {
  try {
    return JSON.stringify(event)
  } catch (cause) {
    throw new DeviceError('EVENT_INVALID', 'The event cannot be written as JSON', { cause })
  }
}

function invalid(message: string): DeviceError {
  return new DeviceError('EVENT_INVALID', message)
}
