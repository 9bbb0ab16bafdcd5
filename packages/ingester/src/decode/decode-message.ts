import { isUtf8 } from 'node:buffer'
import { formatInstant, isDeviceId, type Limits } from '@qs-telemetry/protocol'
import type { Delivery } from '../pipeline/delivery.ts'
import { type Element, Message, type MessageParts, type Rejection } from '../pipeline/message.ts'
import { rejection } from '../pipeline/rejection.ts'
import type { DecodeOptions, MessageContext } from './context.ts'
import { decodeEvent } from './decode-event.ts'
import { mayLoseDigits, parseExact } from './exact-numbers.ts'

/** Far above any limit that can be set: what is longer is no device, and an ack topic for it might be none either. */
const MAX_DEVICE_ID_LENGTH = 1024

/** Bytes to events, as often as the same are needed again. */
export type Decoder = (delivery: Delivery) => Message

/**
 * Every delivery becomes a message with at least one element, so that it comes to an end also
 * where nothing can be read: then that element is a rejection. Never throws: a message that did would come again
 * after each restart.
 */
export function decoder(options: DecodeOptions): Decoder {
  const elementsOf = (delivery: Delivery) => decode(delivery).elements
  const decode = (delivery: Delivery): MessageParts => {
    const named = options.topic.deviceIdOf(delivery.topic)
    const deviceId =
      named !== null && isDeviceId(named) && named.length <= MAX_DEVICE_ID_LENGTH ? named : null
    const tsServer = formatInstant(delivery.receivedAt)
    let decoded: Element | readonly Element[]
    try {
      decoded = decodePayload(delivery, { options, deviceId, receivedAt: delivery.receivedAt, tsServer })
    } catch (error) {
      decoded = rejection('INTERNAL_ERROR', String(error), { trace: `decode: ${(error as Error).stack}` })
    }
    // One literal for both: an object spread for every message costs more than to parse it.
    const isArray = Array.isArray(decoded)
    const elements = isArray ? (decoded as readonly Element[]) : [decoded as Element]
    return { delivery, deviceId, tsServer, shape: isArray ? 'array' : 'one', elements }
  }
  return (delivery) => new Message(decode(delivery), elementsOf)
}

/** For one message; for many a decoder is made once. */
export function decodeMessage(delivery: Delivery, options: DecodeOptions): Message {
  return decoder(options)(delivery)
}

/** The elements of an array, or the one element that all else is. */
function decodePayload(
  { payload, topic, fault }: Delivery,
  context: MessageContext,
): Element | readonly Element[] {
  if (fault) return rejection('QUARANTINED', fault, { trace: `source: ${fault}` })
  const { deviceId } = context
  const { limits } = context.options
  const text = readText(payload, limits)
  if (typeof text !== 'string') return text
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    return rejection('INVALID_JSON', (error as Error).message, { trace: `decode: JSON.parse: ${error}` })
  }
  if (deviceId === null) return rejection('TOPIC_MISMATCH', `The topic is ${topic.slice(0, 200)}`)

  const exact = mayLoseDigits(payload) ? parseExact(text) : parsed
  const element = decodeAll(parsed, exact, context)
  // What was sent as a time that is none is kept to the letter, whatever its neighbours look like.
  return exact === parsed && hasStrangeTime(element) ? decodeAll(parsed, parseExact(text), context) : element
}

function decodeAll(parsed: unknown, exact: unknown, context: MessageContext): Element | readonly Element[] {
  if (!Array.isArray(parsed)) return decodeEvent(parsed, exact, context)
  const { arrayEvents } = context.options.limits
  if (parsed.length === 0) return rejection('EMPTY_ARRAY', '')
  if (parsed.length > arrayEvents) return rejection('TOO_MANY_EVENTS', `The array holds ${parsed.length}`)
  return whole(parsed.map((element, index) => decodeEvent(element, (exact as unknown[])[index], context)))
}

/**
 * An array in which nothing is an event and nothing has an id is refused as a whole: one dead letter and one device ack
 * say of it all that a thousand could. Otherwise 2 KB of zeros cost 180 KB of device acks, and 0.6 MB/s of them held up
 * the device acks of all other devices for 8 s.
 */
function whole(elements: readonly Element[]): Element | readonly Element[] {
  const [first] = elements
  if (first?.kind !== 'rejection' || elements.length === 1) return elements
  if (elements.some(({ kind, eventId }) => kind === 'event' || eventId !== null)) return elements
  const message = `All ${elements.length} elements of the array are refused, the first one with: ${first.message}`
  return { ...first, message }
}

function hasStrangeTime(decoded: Element | readonly Element[]): boolean {
  const elements = Array.isArray(decoded) ? (decoded as readonly Element[]) : [decoded as Element]
  return elements.some((element) => element.kind === 'event' && element.tsDeviceRaw !== null)
}

function readText(payload: Buffer, limits: Limits): string | Rejection {
  if (payload.length === 0) return rejection('EMPTY_MESSAGE', '')
  if (payload.length > limits.messageBytes)
    return rejection('MESSAGE_TOO_LARGE', `It is ${payload.length} bytes`)
  return isUtf8(payload) ? payload.toString() : rejection('INVALID_UTF8', '')
}
