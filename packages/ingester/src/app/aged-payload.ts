import { parseExact, stringifyExact } from '../decode/exact-numbers.ts'

/**
 * A payload whose events say that they are older than they were: so many milliseconds, beside the age that they had. That is how a
 * replay through the broker keeps the time at which a letter came in; an age is no content, so the events are the same ones.
 * What is not JSON comes back as it is.
 */
export function agedPayload(payload: Buffer, byMs: number): Buffer {
  try {
    const plain: unknown = JSON.parse(payload.toString())
    const exact = parseExact(payload.toString())
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
  // An age that is no use stays, and its warning with it.
  if (before !== undefined && before !== null && !(typeof before === 'number' && before >= 0)) return exact
  // Without a prototype, so that a field called `__proto__` is a field like any other.
  const event = Object.assign(Object.create(null) as Record<string, unknown>, exact)
  event.age_ms = (before ?? 0) + byMs
  return event
}
