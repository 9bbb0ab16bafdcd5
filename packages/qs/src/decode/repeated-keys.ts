import { type DeviceAckWarning, elementBytes } from '@qs-telemetry/protocol'
import type { Element } from '../pipeline/message.ts'
import { clean } from '../pipeline/rejection.ts'
import { warning } from './warning.ts'

/*
 * JSON.parse keeps the last of several values under one key and drops the others, as PostgreSQL does in JSONB. The event
 * is stored with that value, and its device ack says so: an object that was put together twice is a fault of its sender.
 *
 * A text with more keys than its parsed objects has a key twice, or a text that looks like one. Only then it is read
 * again, and says which key it is.
 */

/** Levels of nesting in which keys are counted: LIMIT_META_DEPTH is at most 1000. */
const MAX_LEVELS = 1_100
const MAX_SHOWN = 40

/** How many keys a parsed JSON value has; NaN where it nests so deeply that nothing of it is stored as an object. */
export function countKeys(value: unknown, levelsLeft = MAX_LEVELS): number {
  if (typeof value !== 'object' || value === null) return 0
  if (levelsLeft === 0) return Number.NaN
  let keys = 0
  if (Array.isArray(value)) {
    for (const item of value) keys += countKeys(item, levelsLeft - 1)
    return keys
  }
  // The prototypes of what JSON.parse makes have no enumerable key. Object.keys takes half as long again.
  for (const key in value) {
    const member = (value as Readonly<Record<string, unknown>>)[key]
    keys += typeof member === 'object' && member !== null ? 1 + countKeys(member, levelsLeft - 1) : 1
  }
  return keys
}

/**
 * The same elements, those in which a key came twice with a warning in place of any other: a value was dropped.
 *
 * @param json what they were decoded from
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
  return key === null ? element : { ...element, warning: keyRepeated(key) }
}

function keyRepeated(key: string): DeviceAckWarning {
  const shown = JSON.stringify(clean(key.slice(0, MAX_SHOWN)))
  return warning('KEY_REPEATED', `Stored with the last value of ${shown}: an object has this key twice`)
}

/** Texts, each with the colon that makes it a key, and where objects begin and end. */
const TOKEN = /"([^"\\]*(?:\\.[^"\\]*)*)"\s*(:?)|[{}]/gs

/**
 * The first key that an object in a JSON text has twice, in whatever spelling; null where none has.
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
