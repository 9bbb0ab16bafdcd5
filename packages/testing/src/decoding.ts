import { DEFAULT_LIMITS, EventTopic, type Limits } from '@qs-telemetry/protocol'
import { decodeMessage } from '../../qs/src/decode/decode-message.ts'
import type { Delivery } from '../../qs/src/pipeline/delivery.ts'
import type { Element, Event, Message, Rejection } from '../../qs/src/pipeline/message.ts'

/** Server time of every delivery here. */
export const SERVER_TIME = '2026-11-23T18:00:00.123456Z'
const RECEIVED_AT = { epochMs: Date.parse('2026-11-23T18:00:00.123Z'), micros: 456 }

export interface Decoding {
  readonly topic?: string
  readonly limits?: Partial<Limits>
  readonly timeZone?: string
  readonly eventIdRule?: 'any' | 'device'
}

export function deliveryOf(payload: string | Buffer, topic = 'qs/v1/dev-1/events'): Delivery {
  return {
    topic,
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    redelivered: false,
    receivedAt: RECEIVED_AT,
    settle: () => {},
  }
}

/** Decodes a payload with the default settings. */
export function decode(
  payload: string | Buffer,
  { topic, limits, timeZone, eventIdRule = 'any' }: Decoding = {},
): Message {
  return decodeMessage(deliveryOf(payload, topic), {
    topic: new EventTopic('qs/v1/+/events'),
    limits: { ...DEFAULT_LIMITS, ...limits },
    clockTrust: { maxPastMs: 90 * 86_400_000, maxFutureMs: 3_600_000 },
    eventIdRule,
    timeZoneOf: () => timeZone ?? 'America/Los_Angeles',
  })
}

/** The only element of a message. */
export function decodeOne(payload: string | Buffer, options?: Decoding): Element {
  const { elements } = decode(payload, options)
  if (elements.length !== 1) throw new Error(`${elements.length} elements`)
  return elements[0] as Element
}

/** The JSON of a good event, with members replaced or added, given as JSON: `{ value: '1e400' }`. */
export function eventJson(members: Readonly<Record<string, string | undefined>> = {}): string {
  const all = {
    schema: '1',
    event_id: '"e-1"',
    device_id: '"dev-1"',
    event_type: '"temp"',
    ...members,
  }
  return `{${Object.entries(all)
    .filter(([, json]) => json !== undefined)
    .map(([name, json]) => `${JSON.stringify(name)}:${json}`)
    .join(',')}}`
}

/** The event of a good payload. */
export function accepted(payload: string | Buffer, options?: Decoding): Event {
  const element = decodeOne(payload, options)
  if (element.kind !== 'event') throw new Error(`${element.code}: ${element.message}`)
  return element
}

/** The rejection of a bad payload. */
export function refused(payload: string | Buffer, options?: Decoding): Rejection {
  const element = decodeOne(payload, options)
  if (element.kind !== 'rejection') throw new Error(`accepted: ${JSON.stringify(element)}`)
  return element
}

export const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
