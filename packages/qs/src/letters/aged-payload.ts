import { jsonContent } from '@qs-telemetry/protocol'
import { parseExact, stringifyExact } from '../decode/exact-numbers.ts'

/**
 * Adds `byMs` to the `age_ms` of every event in a payload, so that a replay through the broker keeps the receive time
 * of a letter. An age is not content: the events stay the same. A payload that is not JSON is returned unchanged.
 */
export function agedPayload(payload: Buffer, byMs: number): Buffer {
  try {
    const text = jsonContent(payload).toString()
    const plain: unknown = JSON.parse(text)
    const exact = parseExact(text)
    const aged = Array.isArray(plain)
      ? plain.map((event, index) => age(event, (exact as readonly unknown[])[index], byMs))
      : age(plain, exact, byMs)
    return Buffer.from(stringifyExact(aged))
  } catch {
    return payload
  }
}

function age(plain: unknown, exact: unknown, byMs: number): unknown {
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) return exact
  const { age_ms: before } = plain as { readonly age_ms?: unknown }
  // An unusable age stays, so that the device ack still warns of it.
  if (before !== undefined && before !== null && !(typeof before === 'number' && before >= 0)) return exact
  // Without a prototype, so that a field called `__proto__` is an ordinary field.
  const event = Object.assign(Object.create(null) as Record<string, unknown>, exact)
  event.age_ms = (before ?? 0) + byMs
  return event
}
