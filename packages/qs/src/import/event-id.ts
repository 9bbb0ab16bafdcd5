import type { Event } from '../pipeline/message.ts'

const HASH_DIGITS = 9

/**
 * The id of an event that has none: the same event always gets the same one, so that a file can be imported again.
 *
 * `kitchen-temp-1764430000.123456` and nine digits of a hash of the value. Ids of a series that follow one another in
 * time lie side by side in the index, and sealing packs them as numbers. The time is the one in the file: a naive time
 * counts as written, so that another time zone does not make another event of it.
 *
 * A name that makes the id too long is replaced by its hash.
 */
export function madeId(event: Event, maxBytes: number): string {
  const { deviceId, eventType, valueNum, valueText, valueExact, tsDevice, tsDeviceLocal } = event
  const time = tsDeviceLocal === null ? (tsDevice as string) : `${tsDeviceLocal}Z`
  const value = valueText === null ? `n${valueExact ?? valueNum}` : `t${valueText}`
  const end = `-${secondOf(time)}.${time.slice(20, 26)}${digits(value)}`
  const id = `${deviceId}-${eventType}${end}`
  if (id.length * 3 <= maxBytes || Buffer.byteLength(id) <= maxBytes) return id
  return `${deviceId}-${digits(eventType)}${end}`
}

/** The last second is asked for again and again. */
let known = { text: '', second: 0 }

function secondOf(time: string): number {
  const text = time.slice(0, 19)
  if (text !== known.text) known = { text, second: Date.parse(`${text}Z`) / 1000 }
  return known.second
}

/** FNV-1a with the finish of MurmurHash3. A text with the hash of another one at the same time is refused, not lost. */
function digits(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return String(((hash ^ (hash >>> 16)) >>> 0) % 10 ** HASH_DIGITS).padStart(HASH_DIGITS, '0')
}
