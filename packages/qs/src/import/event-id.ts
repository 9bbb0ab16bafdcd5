import { createHash } from 'node:crypto'
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

function digits(text: string): string {
  const number = createHash('md5').update(text).digest().readUInt32BE() % 10 ** HASH_DIGITS
  return String(number).padStart(HASH_DIGITS, '0')
}
