import { isUtf8 } from 'node:buffer'
import type { DeadLetter } from '@qs-telemetry/protocol'
import type { Letter } from '../pipeline/letter.ts'

/** Longer names are truncated or omitted if a dead letter is too large for the broker. */
const MAX_NAME_CHARACTERS = 256

/**
 * The JSON of a dead letter for MQTT. If it is too large for the broker, its payload is truncated and its size given;
 * the row in dead_letters is complete.
 */
export function deadLetterJson(letter: Letter, maxBytes: number): string {
  // Not for every size: the JSON of a payload can be six times as long, and strings have a maximum length.
  if (letter.payload.length <= maxBytes) {
    const whole = JSON.stringify(toMessage(letter, letter.payload))
    if (Buffer.byteLength(whole) <= maxBytes) return whole
  }
  const short = withShortNames(letter)
  const frame = JSON.stringify({ ...toMessage(short, Buffer.alloc(0)), ...CUT })
  // JSON writes a byte as six at most.
  const room = Math.max(0, Math.floor((maxBytes - Buffer.byteLength(frame)) / 6))
  const kept = cutText(letter.payload, room)
  return JSON.stringify({
    ...toMessage(short, kept),
    payload_bytes: letter.payload.length,
  })
}

function withShortNames(letter: Letter): Letter {
  const { topic, deviceId, rejection } = letter
  const eventId = (rejection.eventId?.length ?? 0) > MAX_NAME_CHARACTERS ? null : rejection.eventId
  return {
    ...letter,
    topic: topic.slice(0, MAX_NAME_CHARACTERS),
    deviceId: deviceId?.slice(0, MAX_NAME_CHARACTERS) ?? null,
    rejection: { ...rejection, eventId },
  }
}

/** The largest possible fields that describe a truncated payload. */
const CUT = { payload_bytes: Number.MAX_SAFE_INTEGER, payload_encoding: 'base64' }

/** Truncates to at most `maxBytes`, and never within a character, which has at most three continuation bytes. */
function cutText(payload: Buffer, maxBytes: number): Buffer {
  let end = Math.min(maxBytes, payload.length)
  for (let back = 0; back < 3 && end > 0 && isContinuation(payload[end]); back++) end--
  return payload.subarray(0, end)
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

function toMessage({ rejection, topic, deviceId, receivedAt }: Letter, payload: Buffer): DeadLetter {
  const isText = isUtf8(payload)
  return {
    code: rejection.code,
    error: rejection.message,
    trace: rejection.trace,
    topic,
    device_id: deviceId,
    event_id: rejection.eventId,
    received_at: receivedAt,
    payload: payload.toString(isText ? 'utf8' : 'base64'),
    ...(!isText && { payload_encoding: 'base64' as const }),
  }
}
