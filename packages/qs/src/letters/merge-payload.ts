import { parseExact, stringifyExact } from '../decode/exact-numbers.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * A JSON merge patch (RFC 7396) on a payload: fields of the patch replace those of the payload, null removes one.
 * Numbers keep all their digits.
 *
 * @throws SyntaxError where either is no JSON
 */
export function mergePayload(payload: string, patch: string): string {
  JSON.parse(payload)
  JSON.parse(patch)
  return stringifyExact(merge(parseExact(payload), parseExact(patch)))
}

/**
 * The same, but an array of events is patched event by event: in a letter nothing else can be meant. What is no object stays: a
 * patch would make an event of it that nobody sent.
 */
export function patchPayload(payload: string, patch: string): string {
  JSON.parse(payload)
  JSON.parse(patch)
  const [events, change] = [parseExact(payload), parseExact(patch)]
  const patched = (event: unknown) => (isObject(event) ? merge(event, change) : event)
  return stringifyExact(Array.isArray(events) ? events.map(patched) : patched(events))
}

/** RFC 7396, section 2. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  // Without a prototype, so that a field called `__proto__` is a field like any other.
  const result: Record<string, unknown> = Object.assign(
    Object.create(null) as object,
    isObject(target) ? target : {},
  )
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = merge(result[name], value)
  }
  return result
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
