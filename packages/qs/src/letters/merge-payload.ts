import { parseExact, stringifyExact } from '../decode/exact-numbers.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Applies a JSON merge patch (RFC 7396): fields of the patch replace those of the payload, null removes a field.
 * Numbers keep all their digits.
 *
 * @throws SyntaxError if either is not JSON
 */
export function mergePayload(payload: string, patch: string): string {
  JSON.parse(payload)
  JSON.parse(patch)
  return stringifyExact(merge(parseExact(payload), parseExact(patch)))
}

/**
 * The same, but an array is patched event by event. An element that is not an object stays as it is: a patch would turn
 * it into an event that no device sent.
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
  // Without a prototype, so that a field called `__proto__` is an ordinary field.
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
