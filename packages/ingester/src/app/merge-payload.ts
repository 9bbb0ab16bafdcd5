import { parseExact, stringifyExact } from '../decode/exact-numbers.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * A JSON merge patch (RFC 7396) on a payload: fields of the patch replace those of the payload, null removes one. An
 * array of events is patched event by event, since nothing else can be meant. Numbers keep all their digits.
 *
 * @throws SyntaxError where either is no JSON
 */
export function mergePayload(payload: string, patch: string): string {
  JSON.parse(payload)
  JSON.parse(patch)
  const [target, change] = [parseExact(payload), parseExact(patch)]
  const patched =
    Array.isArray(target) && isObject(change)
      ? target.map((each) => merge(each, change))
      : merge(target, change)
  return stringifyExact(patched)
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
