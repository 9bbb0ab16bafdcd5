import { elementBytes, type Instant, instantFromMs, type Limits } from '@qs-telemetry/protocol'
import type { Config } from '../config/settings.ts'
import { decodeMessage } from '../decode/decode-message.ts'
import { type DecodeOptions, decodeOptions } from '../decode/decode-options.ts'
import type { Event, Message, Rejection } from '../pipeline/message.ts'
import { fingerprint } from '../sink/insert-dead-letters.ts'

export interface JudgedLetter {
  readonly topic: string
  /** Server time for its events. */
  readonly receivedAt: Date | string
  readonly payload: Buffer
  /** The device set by a repair. */
  readonly repairedDeviceId: string | null
}

/** One message of a replay. */
export interface ReplayPart {
  readonly payload: Buffer
  readonly events: readonly Event[]
  /** Each identifies the dead letter that an event of this part becomes if it is rejected again. */
  readonly fingerprints: () => readonly string[]
}

/** The result of decoding a letter, before the database sees it. */
export interface Judgement {
  /** The device as which it is replayed; null if unknown. */
  readonly deviceId: string | null
  readonly topic: string
  /** Nearly always one. An array with too many events or bytes is split. */
  readonly parts: readonly ReplayPart[]
  readonly events: readonly Event[]
  /** What is still wrong. */
  readonly rejections: readonly Rejection[]
}

/** Decodes a letter as it would be replayed now, with the decode of the pipeline. */
export function judgeLetter(letter: JudgedLetter, config: Config): Judgement {
  const { MQTT_EVENTS_TOPIC: eventsTopic } = config
  const named = letter.repairedDeviceId ?? eventsTopic.deviceIdOf(letter.topic) ?? deviceOf(letter.payload)
  const topic = named === null ? letter.topic : eventsTopic.topicOf(named)
  const options = decodeOptions(config, () => undefined)

  const decode = decoderAt(instantOf(letter.receivedAt), options)
  const whole = decode(letter.payload, topic)
  const messages = isTooMuch(whole)
    ? (split(whole, { topic, limits: options.limits, decode }) ?? [whole])
    : [whole]
  const elements = messages.flatMap((message) => message.elements)
  return {
    deviceId: whole.deviceId,
    topic,
    parts: messages.map((message) => partOf(message, topic)),
    events: elements.filter((element) => element.kind === 'event'),
    rejections: elements.filter((element) => element.kind === 'rejection'),
  }
}

type Decode = (payload: Buffer, topic: string) => Message

function decoderAt(receivedAt: Instant, options: DecodeOptions): Decode {
  return (payload, topic) =>
    decodeMessage({ topic, payload, redelivered: false, receivedAt, settle: () => {} }, options)
}

function partOf({ delivery: { payload }, elements, shape }: Message, topic: string): ReplayPart {
  return {
    payload,
    events: elements.filter((element) => element.kind === 'event'),
    fingerprints: () => {
      const elementsSent = shape === 'array' ? elementBytes(payload) : [payload]
      return elementsSent.map((bytes, index) => fingerprint({ topic, index, payload: bytes }))
    },
  }
}

function isTooMuch({ elements: [first] }: Message): boolean {
  return (
    first?.kind === 'rejection' && (first.code === 'TOO_MANY_EVENTS' || first.code === 'MESSAGE_TOO_LARGE')
  )
}

/** Splits an array into messages within the limits; null if the payload is not an array. */
function split(
  whole: Message,
  { topic, limits, decode }: { readonly topic: string; readonly limits: Limits; readonly decode: Decode },
): readonly Message[] | null {
  const { payload } = whole.delivery
  if (!isArray(payload)) return null
  const { arrayEvents, messageBytes } = limits
  const parts: Buffer[][] = []
  let room = 0
  for (const element of elementBytes(payload)) {
    const current = parts.at(-1)
    room -= element.length + 1
    if (current !== undefined && current.length < arrayEvents && room >= 0) current.push(element)
    else {
      parts.push([element])
      // Two brackets; the first element has no comma.
      room = messageBytes - element.length - 2
    }
  }
  return parts.map((part) => decode(arrayOf(part), topic))
}

const [OPEN, COMMA, CLOSE] = ['[', ',', ']'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer]

function arrayOf(elements: readonly Buffer[]): Buffer {
  const joined = elements.flatMap((element, index) => (index === 0 ? [element] : [COMMA, element]))
  return Buffer.concat([OPEN, ...joined, CLOSE])
}

function isArray(payload: Buffer): boolean {
  try {
    return Array.isArray(JSON.parse(payload.toString()))
  } catch {
    return false
  }
}

/** The device of the first event, used if the topic names none. */
function deviceOf(payload: Buffer): string | null {
  try {
    const parsed: unknown = JSON.parse(payload.toString())
    const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed
    const { device_id: deviceId } = first as { device_id?: unknown }
    return typeof deviceId === 'string' ? deviceId : null
  } catch {
    return null
  }
}

/** From RFC 3339 text in UTC with six fractional digits; a Date has only milliseconds. */
export function instantOf(moment: Date | string): Instant {
  if (typeof moment !== 'string') return instantFromMs(moment.getTime())
  return { epochMs: Date.parse(`${moment.slice(0, 23)}Z`), micros: Number(moment.slice(23, 26)) }
}
