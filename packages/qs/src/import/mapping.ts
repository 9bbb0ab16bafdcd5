import { QsError } from '../errors/qs-error.ts'
import { firstOf, type Template, template } from './template.ts'

/** The fields of an event that can be mapped. */
const FIELDS = ['device_id', 'event_type', 'value', 'unit', 'time', 'event_id', 'meta'] as const
export type Field = (typeof FIELDS)[number]

export interface Mapping {
  readonly fields: Readonly<Record<Field, Template>>
  /** Keys of meta that have a template of their own. */
  readonly meta: ReadonlyMap<string, Template>
  /** Columns of which each is an event: the name is the type, the cell its value. */
  readonly values: readonly string[]
  /** What becomes of columns that nothing reads: fields of `meta`, of `meta._extra` as on the wire, or nothing. */
  readonly others: 'meta' | 'extra' | 'ignored'
  /** Cells are text, so a text that looks like a number is one. */
  readonly isText: boolean
}

/** The names that are taken where nothing else is said: those of the wire contract, of qs exports, of InfluxDB. */
const USUAL: Readonly<Record<Field, Template>> = {
  device_id: firstOf('device_id', 'device'),
  event_type: firstOf('event_type', 'type'),
  value: firstOf('value', 'value_num', 'value_text', '_value'),
  unit: firstOf('unit'),
  time: firstOf('ts_device', 'time', 'ts', 'timestamp', '_time'),
  event_id: firstOf('event_id'),
  meta: firstOf('meta'),
}

const BASE = { fields: USUAL, meta: new Map(), values: [] }

export const JSON_LINES: Mapping = { ...BASE, others: 'extra', isText: false }
export const CSV: Mapping = { ...BASE, others: 'ignored', isText: true }

export const LINE_PROTOCOL: Mapping = {
  ...BASE,
  fields: { ...USUAL, device_id: firstOf('device_id', 'device', 'host'), event_type: measuredField() },
  ...{ others: 'meta', isText: false },
}

/**
 * The table `statistics` of the recorder with `statistics_meta`, and the file that its history page downloads. A
 * measurement has a mean, a meter the state at the end of the hour.
 */
export const HOME_ASSISTANT: Mapping = {
  fields: {
    ...USUAL,
    device_id: template('home-assistant'),
    event_type: firstOf('statistic_id', 'entity_id'),
    value: firstOf('mean', 'state', 'sum'),
    unit: firstOf('unit_of_measurement', 'unit'),
    time: firstOf('start_ts', 'start', 'last_changed', 'last_changed_ts', 'last_updated', 'last_updated_ts'),
  },
  meta: new Map(['min', 'max', 'sum'].map((name) => [name, firstOf(name)])),
  ...{ values: [], others: 'ignored', isText: true },
}

/** The measurement if its field is called `value`, as with a field for each measurement; otherwise both names. */
function measuredField(): Template {
  return {
    columns: ['_measurement', '_field'],
    read: ({ _measurement, _field }) => (_field === 'value' ? _measurement : `${_measurement}.${_field}`),
  }
}

export interface MappingOptions {
  /** `field=template`, in order. */
  readonly map: readonly string[]
  readonly values: readonly string[]
}

/** The mapping of a format with what the user says. @throws QsError for a field that does not exist */
export function adjusted(mapping: Mapping, { map, values }: MappingOptions): Mapping {
  const fields: Record<Field, Template> = { ...mapping.fields }
  const meta = new Map(mapping.meta)
  for (const each of map) {
    const at = each.indexOf('=')
    const [name, text] = [each.slice(0, at), each.slice(at + 1)]
    if (at === -1) throw new QsError('WRONG_USAGE', `--map ${each} has no =; write --map 'value={column}'`)
    const field = FIELDS.find((one) => one === name)
    if (field !== undefined) fields[field] = template(text)
    else if (name.startsWith('meta.') && name !== 'meta.') meta.set(name.slice(5), template(text))
    else
      throw new QsError(
        'WRONG_USAGE',
        `--map ${each}: there is no field ${JSON.stringify(name)}, only ${FIELDS.join(', ')} and meta.NAME`,
      )
  }
  if (values.length > 0) {
    if (!map.some((each) => each.startsWith('event_type='))) fields.event_type = template('{_field}')
    fields.value = template('{_value}')
  }
  return { ...mapping, fields, meta, values }
}
