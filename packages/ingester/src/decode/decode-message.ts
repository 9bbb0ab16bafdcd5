import { isUtf8 } from 'node:buffer'
import { formatInstant, isDeviceId, type Limits } from '@qs-telemetry/protocol'
import type { Delivery } from '../pipeline/delivery.ts'
import type { Message, Rejection } from '../pipeline/message.ts'
import { rejection } from '../pipeline/rejection.ts'
import type { DecodeOptions, MessageContext } from './context.ts'
import { decodeEvent } from './decode-event.ts'
import { mayLoseDigits, parseExact } from './exact-numbers.ts'

/**
 * Bytes to events. Every delivery becomes a message with at least one element, so that it comes to an end also
 * where nothing can be read: then that element is a rejection. Never throws.
 */
export function decodeMessage(delivery: Delivery, options: DecodeOptions): Message {
  const named = options.topic.deviceIdOf(delivery.topic)
  const deviceId = named !== null && isDeviceId(named) ? named : null
  const tsServer = formatInstant(delivery.receivedAt)
  const unreadable = (fault: Rejection): Message => ({
    delivery,
    deviceId,
    shape: 'one',
    elements: [fault],
    tsServer,
  })

  const text = readText(delivery.payload, options.limits)
  if (typeof text !== 'string') return unreadable(text)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    return unreadable(
      rejection('INVALID_JSON', (error as Error).message, { trace: `decode: JSON.parse: ${error}` }),
    )
  }
  if (deviceId === null) return unreadable(rejection('TOPIC_MISMATCH', `The topic is ${delivery.topic}`))

  const context: MessageContext = { ...options, deviceId, receivedAt: delivery.receivedAt, tsServer }
  const exact = mayLoseDigits(text) ? parseExact(text) : parsed
  if (!Array.isArray(parsed)) {
    return { delivery, deviceId, shape: 'one', elements: [decodeEvent(parsed, exact, context)], tsServer }
  }
  if (parsed.length === 0) return unreadable(rejection('EMPTY_ARRAY', ''))
  if (parsed.length > options.limits.arrayEvents) {
    return unreadable(rejection('TOO_MANY_EVENTS', `The array holds ${parsed.length}`))
  }
  const elements = parsed.map((element, index) => decodeEvent(element, (exact as unknown[])[index], context))
  return { delivery, deviceId, shape: 'array', elements, tsServer }
}

function readText(payload: Buffer, limits: Limits): string | Rejection {
  if (payload.length === 0) return rejection('EMPTY_MESSAGE', '')
  if (payload.length > limits.messageBytes)
    return rejection('MESSAGE_TOO_LARGE', `It is ${payload.length} bytes`)
  return isUtf8(payload) ? payload.toString() : rejection('INVALID_UTF8', '')
}
