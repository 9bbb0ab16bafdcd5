import { isUtf8 } from 'node:buffer'
import { formatInstant, isDeviceId } from '@qs-telemetry/protocol'
import type { Delivery } from '../pipeline/delivery.ts'
import { type Element, Message, type MessageParts } from '../pipeline/message.ts'
import { rejection } from '../pipeline/rejection.ts'
import { sameAsBefore } from '../pipeline/same-as-before.ts'
import { decodeEvent } from './decode-event.ts'
import type { DecodeOptions, MessageContext } from './decode-options.ts'
import { parseExact } from './exact-numbers.ts'
import { countKeys, warnOfRepeatedKeys } from './repeated-keys.ts'
import { refusedWhole, salvage, tooLarge, tooManyEvents, unreadable } from './salvage.ts'
import { scanJson } from './scan-json.ts'
import { echoed } from './text.ts'

/** Far above LIMIT_ID_BYTES: a longer id is not a device's, and its ack topic could exceed the limit of MQTT. */
const MAX_DEVICE_ID_LENGTH = 1024

/** Decodes a delivery; the message decodes it again if its elements are needed again. */
export type Decoder = (delivery: Delivery) => Message

/**
 * Decodes every delivery into a message with at least one element, so that it can be settled: if nothing is readable,
 * that element is a rejection. Never throws, since the broker would redeliver such a message after each restart.
 */
export function decoder(options: DecodeOptions): Decoder {
  const elementsOf = (delivery: Delivery) => decode(delivery).elements
  const deviceIdOf = sameAsBefore((topic: string) => {
    const named = options.topic.deviceIdOf(topic)
    return named !== null && isDeviceId(named) && named.length <= MAX_DEVICE_ID_LENGTH ? named : null
  })
  const textOf = sameAsBefore(formatInstant)
  const decode = (delivery: Delivery): MessageParts => {
    const deviceId = deviceIdOf(delivery.topic)
    const tsServer = textOf(delivery.receivedAt)
    let decoded: Element | readonly Element[]
    try {
      decoded = decodePayload(delivery, { options, deviceId, receivedAt: delivery.receivedAt, tsServer })
    } catch (error) {
      decoded = rejection('INTERNAL_ERROR', String(error), { trace: `decode: ${(error as Error).stack}` })
    }
    // One literal for both shapes: spreading an object costs more than parsing the message.
    const isArray = Array.isArray(decoded)
    const elements = isArray ? (decoded as readonly Element[]) : [decoded as Element]
    return { delivery, deviceId, tsServer, shape: isArray ? 'array' : 'one', elements }
  }
  return (delivery) => new Message(decode(delivery), elementsOf)
}

/** For a single message. For many, create one decoder. */
export function decodeMessage(delivery: Delivery, options: DecodeOptions): Message {
  return decoder(options)(delivery)
}

/** The elements of an array; any other payload is one element. */
function decodePayload(
  { payload, topic, fault }: Delivery,
  context: MessageContext,
): Element | readonly Element[] {
  if (fault) return rejection('QUARANTINED', fault, { trace: `source: ${fault}` })
  const { messageBytes, arrayEvents } = context.options.limits
  if (payload.length === 0) return rejection('EMPTY_MESSAGE', '')
  if (payload.length > messageBytes) return tooLarge(payload, messageBytes, arrayEvents)
  const text = isUtf8(payload) ? payload.toString() : null
  const parsed = text === null ? NOT_JSON : parse(text)
  if (context.deviceId === null) {
    // There is no device to answer, so nothing is salvaged. A repair must fix the payload first.
    const isJson = parsed !== NOT_JSON
    return isJson ? rejection('TOPIC_MISMATCH', `The topic is ${topic.slice(0, 200)}`) : unreadable(payload)
  }
  if (text !== null && parsed !== NOT_JSON) return decodeJson(parsed, { text, bytes: payload }, context)
  return salvage(payload, arrayEvents, (element, of, bytes) =>
    decodeJson(element, { text: of, bytes }, context),
  )
}

const NOT_JSON = Symbol('not JSON')

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return NOT_JSON
  }
}

/** The source of `parsed`. */
interface RawJson {
  readonly text: string
  readonly bytes: Buffer
}

function decodeJson(parsed: unknown, source: RawJson, context: MessageContext) {
  const { keys, mayLoseDigits } = scanJson(source.bytes)
  const decoded = decodeExact(parsed, mayLoseDigits ? parseExact(source.text) : parsed, { source, context })
  return keys === countKeys(parsed) ? decoded : warnOfRepeatedKeys(decoded, source.bytes)
}

function decodeExact(
  parsed: unknown,
  exact: unknown,
  { source, context }: { readonly source: RawJson; readonly context: MessageContext },
) {
  const decoded = decodeAll(parsed, exact, context)
  // An unreadable ts_device is kept exactly as sent, digits included.
  return exact === parsed && hasStrangeTime(decoded)
    ? decodeAll(parsed, parseExact(source.text), context)
    : decoded
}

function decodeAll(parsed: unknown, exact: unknown, context: MessageContext): Element | readonly Element[] {
  if (!Array.isArray(parsed)) return decodeEvent(parsed, exact, context)
  const { arrayEvents } = context.options.limits
  if (parsed.length === 0) return rejection('EMPTY_ARRAY', '')
  if (parsed.length > arrayEvents)
    return tooManyEvents(String(parsed.length), parsed.slice(0, arrayEvents).map(idOf))
  return refusedWhole(
    parsed.map((element, index) => decodeEvent(element, (exact as unknown[])[index], context)),
  )
}

function idOf(element: unknown): string | null {
  return typeof element === 'object' && element !== null && 'event_id' in element
    ? echoed(element.event_id)
    : null
}

function hasStrangeTime(decoded: Element | readonly Element[]): boolean {
  const elements = Array.isArray(decoded) ? (decoded as readonly Element[]) : [decoded as Element]
  return elements.some((element) => element.kind === 'event' && element.tsDeviceRaw !== null)
}
