import { isUtf8 } from 'node:buffer'
import type { DeadLetter } from '@qs-telemetry/protocol'
import type { Letter } from '../pipeline/letter.ts'

/**
 * A dead letter as it is published. What is too large for the broker is cut, and says so: the row in dead_letters
 * has all of it.
 */
export function deadLetterJson(letter: Letter, maxBytes: number): string {
  const whole = JSON.stringify(toMessage(letter, letter.payload))
  if (Buffer.byteLength(whole) <= maxBytes) return whole
  // JSON writes a byte as at most six.
  const kept = letter.payload.subarray(0, Math.max(0, Math.floor((maxBytes - 4096) / 6)))
  return JSON.stringify({ ...toMessage(letter, kept), payload_bytes: letter.payload.length })
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
