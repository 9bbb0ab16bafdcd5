import { CONTRACT_VERSION } from '@qs-telemetry/protocol'
import { exactDigits, parseExact } from '../decode/exact-numbers.ts'
import { readTime, type TimeUnit } from './import-time.ts'
import type { Mapping } from './mapping.ts'
import type { Columns, SourceRecord } from './source-record.ts'
import { textOf } from './template.ts'

/** An element of a message as decodeEvent takes it: parsed, and with marked numbers if they may lose digits. */
export interface Mapped {
  readonly element: Columns
  readonly exact: Columns
  /** The record has an event_id. Otherwise `event_id` holds the place of one. */
  readonly hasId: boolean
}

export interface MapOptions {
  readonly mapping: Mapping
  /** Of times that are numbers; null: by their size. */
  readonly timeUnit: TimeUnit | null
  /** In values that are text. */
  readonly decimalComma: boolean
}

/** Not part of any event: on the wire it is the age at the time of sending, and `schema` is always there. */
const DROPPED: ReadonlySet<string> = new Set(['age_ms', 'schema'])
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** Numbers of fewer characters survive a double (exact-numbers.ts). */
const SAFE_LENGTH = 15

/** @returns the function that makes events of a record; more than one if several of its columns are values */
export function recordMapper(options: MapOptions): (record: SourceRecord) => readonly Mapped[] {
  const { values } = options.mapping
  const mapOne = eventMapper(options)
  return ({ columns, exact, fields }) => {
    const cells = fields ?? (values.length > 0 ? cellsOf(exact, values) : null)
    if (cells === null) return [mapOne(exact, exact !== columns)]
    return Array.from(cells, ([_field, _value]) => mapOne({ ...exact, _field, _value }, exact !== columns))
  }
}

function* cellsOf(columns: Columns, names: readonly string[]): Generator<readonly [string, unknown]> {
  for (const name of names) {
    const value = Object.hasOwn(columns, name) ? columns[name] : undefined
    if (value !== undefined && value !== null && value !== '') yield [name, value]
  }
}

function eventMapper({ mapping, timeUnit, decimalComma }: MapOptions) {
  const { fields, meta: metaTemplates, others, isText } = mapping
  const used = new Set(
    [...Object.values(fields), ...metaTemplates.values()].flatMap(({ columns }) => columns),
  )
  for (const name of ['_field', '_value', ...mapping.values]) used.add(name)

  return (columns: Columns, isMarked: boolean): Mapped => {
    let hasMarks = isMarked
    const valueFrom = (value: unknown) => {
      if (!isText || typeof value !== 'string') return value
      const found = typed(value, decimalComma)
      hasMarks ||= typeof found === 'string' && exactDigits(found) !== null
      return found
    }
    const text = (field: 'device_id' | 'event_type' | 'unit' | 'event_id') => {
      const value = fields[field].read(columns)
      return value === undefined ? undefined : textOf(value)
    }
    const time = fields.time.read(columns)
    const value = valueFrom(fields.value.read(columns))
    let meta = fields.meta.read(columns)
    if (isText && typeof meta === 'string') {
      meta = objectIn(meta)
      hasMarks = true
    }
    for (const [key, template] of metaTemplates) meta = withKey(meta, key, valueFrom(template.read(columns)))
    let extra: Record<string, unknown> | null = null
    if (others !== 'ignored') {
      for (const name of Object.keys(columns)) {
        if (used.has(name) || DROPPED.has(name)) continue
        if (others === 'meta') meta = withKey(meta, name, columns[name])
        else {
          extra ??= Object.create(null) as Record<string, unknown>
          extra[name] = columns[name]
        }
      }
    }
    const [eventId, deviceId] = [text('event_id'), text('device_id')]
    const known = {
      schema: CONTRACT_VERSION,
      // A made id is known only once the event is decoded.
      event_id: eventId ?? `${deviceId}-`,
      device_id: deviceId,
      event_type: text('event_type'),
      value,
      unit: text('unit'),
      ts_device: time === undefined ? undefined : readTime(textOf(time), timeUnit),
      meta,
    }
    const hasId = eventId !== undefined
    const exact = extra === null ? known : { ...extra, ...known }
    if (!hasMarks) return { element: exact, exact, hasId }
    const digits = typeof value === 'string' ? exactDigits(value) : null
    return { element: { ...exact, value: digits === null ? value : Number(digits) }, exact, hasId }
  }
}

/** A text that is a number or a truth value. */
function typed(value: string, decimalComma: boolean): unknown {
  const trimmed = value.trim()
  if (trimmed === 'true' || trimmed === 'false') return trimmed === 'true'
  const text = decimalComma ? trimmed.replace(',', '.') : trimmed
  if (!NUMBER.test(text)) return value
  return text.length > SAFE_LENGTH && JSON_NUMBER.test(text) ? parseExact(text) : Number(text)
}

/** Of a cell with a JSON object. Any other text is refused later. */
function objectIn(text: string): unknown {
  try {
    return parseExact(text)
  } catch {
    return text
  }
}

/** Its own property even if it is called `__proto__`. A meta that is no object stays, and is refused later. */
function withKey(meta: unknown, key: string, value: unknown): unknown {
  if (value === undefined || (meta !== undefined && (typeof meta !== 'object' || meta === null))) return meta
  const made: Record<string, unknown> = Object.assign(Object.create(null), meta)
  made[key] = value
  return made
}
