import { elementBytes } from '@qs-telemetry/protocol'
import type { Element } from '../pipeline/message.ts'
import { repeatedKeyOf } from './warnings.ts'

/*
 * JSON.parse keeps the last of several values under one key and drops the others, as PostgreSQL does in JSONB. The event
 * is stored with that value, and its device ack says so, since a repeated key is a fault of the sender.
 *
 * If the JSON text has more keys than its parsed objects, a key is repeated or a string looks like a key. Only then is
 * it read again to find the key.
 */

/** Levels of nesting in which keys are counted: LIMIT_META_DEPTH is at most 1000. */
const MAX_LEVELS = 1_100

/** The number of keys in a parsed JSON value; NaN if it is nested too deeply to be stored. */
export function countKeys(value: unknown, levelsLeft = MAX_LEVELS): number {
  if (typeof value !== 'object' || value === null) return 0
  if (levelsLeft === 0) return Number.NaN
  let keys = 0
  if (Array.isArray(value)) {
    for (const item of value) keys += countKeys(item, levelsLeft - 1)
    return keys
  }
  // Objects from JSON.parse inherit no enumerable keys. Object.keys takes half as long again.
  for (const key in value) {
    const member = (value as Readonly<Record<string, unknown>>)[key]
    keys += typeof member === 'object' && member !== null ? 1 + countKeys(member, levelsLeft - 1) : 1
  }
  return keys
}

/**
 * Adds a warning to each element with a repeated key; it replaces any other, since a value was dropped.
 *
 * @param json the source of the elements
 */
export function warnOfRepeatedKeys(
  decoded: Element | readonly Element[],
  json: Buffer,
): Element | readonly Element[] {
  if (!Array.isArray(decoded)) return warned(decoded as Element, json)
  const bytes = elementBytes(json)
  return (decoded as readonly Element[]).map((element, index) => warned(element, bytes[index] as Buffer))
}

function warned(element: Element, json: Buffer): Element {
  if (element.kind !== 'event') return element
  const key = repeatedKey(json.toString())
  return key === null ? element : { ...element, warning: repeatedKeyOf(key) }
}

/** Strings, with the colon that makes them keys, and the braces of objects. */
const TOKEN = /"([^"\\]*(?:\\.[^"\\]*)*)"\s*(:?)|[{}]/gs

/**
 * The first key that occurs twice in an object of a JSON text, in any spelling; null if there is none.
 *
 * @param json a valid JSON text
 */
export function repeatedKey(json: string): string | null {
  const open: Set<string>[] = []
  for (const { 0: token, 1: text = '', 2: colon } of json.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (colon === ':') {
      const key = text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
      const seen = open.at(-1)
      if (seen?.has(key)) return key
      seen?.add(key)
    }
  }
  return null
}
