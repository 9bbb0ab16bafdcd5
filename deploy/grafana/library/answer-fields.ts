import { types } from 'pg'
import type { Answer } from '../test/support/reader.ts'

export interface Field {
  readonly name: string
  readonly type: 'string' | 'number' | 'time' | 'boolean'
  readonly values: readonly unknown[]
}

const { TIMESTAMPTZ, FLOAT8, INT4, INT8 } = types.builtins
const NUMBERS: readonly number[] = [FLOAT8, INT4, INT8]

/** The answer to a table query as the data source passes it on: a number for every number, milliseconds for a time. */
export function tableFields({ columns, rows }: Answer): readonly Field[] {
  return columns.map(({ name, dataTypeID }) => {
    const values = rows.map((row) => row[name] ?? null)
    if (dataTypeID === TIMESTAMPTZ)
      return { name, type: 'time', values: values.map((value) => (value instanceof Date ? +value : null)) }
    if (NUMBERS.includes(dataTypeID))
      return { name, type: 'number', values: values.map((value) => (value === null ? null : Number(value))) }
    return { name, type: 'string', values }
  })
}

/**
 * The answer to a time series query, as the data source passes it on: a row for each time, and a number for each
 * `metric`, which names it.
 */
export function seriesFields(answer: Answer): readonly Field[] {
  const fields = tableFields(answer)
  const metric = fields.find(({ name }) => name === 'metric')
  const time = fields.find(({ name }) => name === 'time')
  const value = fields.find(({ type }) => type === 'number')
  if (metric === undefined || time === undefined || value === undefined) return fields
  const times = [...new Set(time.values)]
  const place = new Map(times.map((each, index) => [each, index]))
  const lines = new Map<unknown, unknown[]>()
  for (const [row, name] of metric.values.entries()) {
    const line = lines.get(name) ?? new Array<unknown>(times.length).fill(null)
    line[place.get(time.values[row]) ?? 0] = value.values[row]
    lines.set(name, line)
  }
  const named = [...lines].sort(([a], [b]) => String(a).localeCompare(String(b)))
  return [
    { ...time, values: times },
    ...named.map(([name, values]): Field => ({ name: String(name), type: 'number', values })),
  ]
}
