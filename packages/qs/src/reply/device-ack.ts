import type { Message, Outcome, Rejection } from '../pipeline/message.ts'

export interface AckTarget {
  readonly topic: string
  /** The largest payload that the broker accepts. */
  readonly maxBytes: number
}

/**
 * The device ack of a message: an object for an object, an array in the same order for an array. An array rejected as a
 * whole is also answered with an array, of the ids that are readable in it. Nearly always one payload; if an array is
 * too large for the broker, several arrays, in order.
 *
 * The ack of a single event fits a packet of 256 bytes if its ids have at most 64 bytes: its message is truncated if
 * necessary. The dead letter has the full message.
 */
export function deviceAckPayloads(
  message: Message,
  outcomes: readonly Outcome[],
  { topic, maxBytes }: AckTarget,
): readonly string[] {
  const [first] = outcomes
  if (message.shape === 'one' && first?.kind === 'rejection' && first.names !== undefined) {
    const { names } = first
    return arraysOf(
      names.length,
      (at) => rejectedJson(startOf(names[at] ?? null), first, UNBOUNDED),
      maxBytes,
    )
  }
  const roomOf = message.size === 1 ? () => smallPacketRoom(topic) : UNBOUNDED
  const jsonAt = (at: number) => oneJson(message, at, { outcome: outcomes[at] as Outcome, roomOf })
  return message.shape === 'one' ? [jsonAt(0)] : arraysOf(message.size, jsonAt, maxBytes)
}

function arraysOf(count: number, jsonAt: (at: number) => string, maxBytes: number): readonly string[] {
  const payloads: string[] = []
  let [json, bytes] = ['', 0]
  for (let at = 0; at < count; at++) {
    const one = jsonAt(at)
    const oneBytes = Buffer.byteLength(one) + 1
    if (json !== '' && bytes + oneBytes >= maxBytes) {
      payloads.push(`[${json}]`)
      json = ''
      bytes = 0
    }
    json += json === '' ? one : `,${one}`
    bytes += oneBytes
  }
  payloads.push(`[${json}]`)
  return payloads
}

/** The maximum bytes of one ack. Called only if there is a text to truncate. */
type RoomOf = () => number
const UNBOUNDED: RoomOf = () => Number.POSITIVE_INFINITY

interface Answer {
  readonly outcome: Outcome
  readonly roomOf: RoomOf
}

/** Built by hand for speed: there is one for every event. */
function oneJson(message: Message, index: number, { outcome, roomOf }: Answer): string {
  const start = startOf(message.eventIdAt(index))
  if (outcome.kind === 'rejection') return rejectedJson(start, outcome, roomOf)
  const warning = message.warningAt(index)
  const [status, time] = [`${start}${outcome.kind}"`, `,"ts_server":"${outcome.tsServer}"`]
  if (warning === null) return `${status}${time}}`
  return (
    noticeJson(`${status}${time},"warning":`, warning, roomOf) ??
    noticeJson(`${status},"warning":`, warning, roomOf) ??
    wholeNoticeJson(`${status}${time},"warning":`, warning)
  )
}

function startOf(eventId: string | null): string {
  return `{"event_id":${JSON.stringify(eventId)},"status":"`
}

function rejectedJson(start: string, rejection: Rejection, roomOf: RoomOf): string {
  const json = `${start}rejected","error":`
  return noticeJson(json, rejection, roomOf) ?? wholeNoticeJson(json, rejection)
}

type Notice = Pick<Rejection, 'message'> & { readonly code: string }

/** @returns null if it does not fit even without its message */
function noticeJson(start: string, { code, message }: Notice, roomOf: RoomOf): string | null {
  const json = `${start}{"code":"${code}","message":`
  const text = jsonTextWithin(message, roomOf() - Buffer.byteLength(json) - 2)
  return text === null ? null : `${json}${text}}}`
}

/** For ids of more than 64 bytes: it exceeds the small packet anyway, so nothing is truncated. */
function wholeNoticeJson(start: string, { code, message }: Notice): string {
  return `${start}${JSON.stringify({ code, message })}}`
}

/** The receive buffer of the smallest clients; PubSubClient silently drops larger packets. */
const MAX_PACKET_BYTES = 256
/** Fixed header with two length bytes, topic length, packet identifier, length of empty properties. */
const HEADER_BYTES = 3 + 2 + 2 + 1
/** The brackets of an array of one. */
const BRACKETS_BYTES = 2

/** Bytes of JSON that fit a small packet on this topic, with any QoS and MQTT version. */
function smallPacketRoom(topic: string): number {
  return MAX_PACKET_BYTES - HEADER_BYTES - BRACKETS_BYTES - Buffer.byteLength(topic)
}

/** A text as JSON of at most `maxBytes`, truncated if necessary; null if not even `""` fits. */
function jsonTextWithin(text: string, maxBytes: number): string | null {
  const whole = JSON.stringify(text)
  if (Buffer.byteLength(whole) <= maxBytes) return whole
  if (maxBytes < 2) return null
  let [kept, left] = ['', maxBytes - 2]
  for (const character of text) {
    const json = JSON.stringify(character).slice(1, -1)
    left -= Buffer.byteLength(json)
    if (left < 0) break
    kept += json
  }
  return `"${kept.trimEnd()}"`
}
