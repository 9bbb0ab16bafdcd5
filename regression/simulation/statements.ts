import { type AskedTypes, findTypes } from '../../packages/qs/src/sink/admit-types.ts'
import { compareEvents } from '../../packages/qs/src/sink/compare-events.ts'
import { findSealed, findSegments, LOCK_SEGMENTS } from '../../packages/qs/src/sink/find-sealed.ts'
import {
  type Constraint,
  FIND_CONSTRAINTS,
  findViolations,
} from '../../packages/qs/src/sink/find-violations.ts'
import { CHECK_AT_ONCE } from '../../packages/qs/src/sink/store-events.ts'
import type { DeviceSeen } from '../../packages/qs/src/sink/upsert-devices.ts'
import {
  type InputRow,
  isSame,
  type LetterRow,
  type SeriesRow,
  type StatsRow,
  type Tables,
} from './tables.ts'
import { DatabaseError, type Row, type Transaction } from './transaction.ts'

export interface Answer {
  readonly command: string
  readonly rows: readonly Record<string, unknown>[]
  /** For a COPY. */
  readonly rowCount?: number | null
}

export interface Execution {
  readonly tables: Tables
  readonly transaction: Transaction
  readonly values: readonly unknown[]
  readonly minute: string
}

type Statement = (execution: Execution) => Promise<Answer>

/** Rows of this type are refused, as by a constraint of the operator's own. */
export const POISON_TYPE = 'poison'
/** Of these rows, those with such an id violate a constraint that can be evaluated beforehand; the others are found by bisection. */
const FORESEEN_ID = /[02468]$/
export const FORESEEN: Constraint = {
  condition: `((event_type <> '${POISON_TYPE}'::text) OR (event_id !~ '${FORESEEN_ID.source}'::text))`,
  code: '23514',
  message: 'new row for relation "events" violates check constraint "foreseen"',
}

/** The sink's statements by name, or by text if unnamed, as PostgreSQL executes them; see conformance.test.ts. */
export const STATEMENTS: Readonly<Record<string, Statement>> = {
  'insert-events': async ({ tables, transaction, values }) => {
    const newIds: string[] = []
    for (const value of JSON.parse(String(values[0])) as InputRow[]) {
      if (value.type === POISON_TYPE)
        throw new DatabaseError('23514', 'violates check constraint "no_poison"')
      await whenFree(
        transaction,
        () => tables.events.get(value.id),
        (row) => {
          if (row !== undefined) return
          insert(tables.events, value.id, value, transaction, () => tables.newEvents.push(value))
          newIds.push(value.id)
        },
      )
    }
    const isAll = newIds.length === Number(values[1])
    return { command: 'SELECT', rows: [{ new_ids: isAll ? null : newIds }] }
  },

  'copy-events': async ({ tables, transaction, values }) => {
    const rows = readCopied(String(values[0]))
    // Constraints are checked for each row, indexes when a thousand rows are gathered.
    if (rows.some(({ type }) => type === POISON_TYPE))
      throw new DatabaseError('23514', 'violates check constraint "no_poison"')
    for (const row of rows) {
      await whenFree(
        transaction,
        () => tables.events.get(row.id),
        (stored) => {
          if (stored !== undefined) throw new DatabaseError('23505', 'duplicate key value')
          insert(tables.events, row.id, row, transaction, () => tables.newEvents.push(row))
        },
      )
    }
    return { command: 'COPY', rows: [], rowCount: rows.length }
  },

  [CHECK_AT_ONCE.text]: async () => ({ command: 'SET', rows: [] }),

  [String(FIND_CONSTRAINTS.name)]: async () => ({ command: 'SELECT', rows: [{ ...FORESEEN }] }),

  [findViolations([], [FORESEEN]).text]: async ({ values }) => ({
    command: 'SELECT',
    rows: (JSON.parse(String(values[0])) as InputRow[]).flatMap(({ type, id }, index) =>
      type === POISON_TYPE && FORESEEN_ID.test(id) ? [{ index: String(index), broken: 0 }] : [],
    ),
  }),

  [compareEvents([]).text]: async ({ tables, transaction, values }) => {
    const rows: Record<string, unknown>[] = []
    for (const [index, input] of (JSON.parse(String(values[0])) as InputRow[]).entries()) {
      const stored = tables.events.get(input.id)
      if (stored === undefined || !transaction.sees(stored)) continue
      rows.push({
        index: String(index),
        ts_server: stored.value.srv,
        same: isSame(stored.value, input),
        own: stored.value.device === input.device,
      })
    }
    return { command: 'SELECT', rows }
  },

  /** No job seals here, so no event is ever found in a segment. */
  [String(LOCK_SEGMENTS.text)]: async () => ({ command: 'SELECT', rows: [] }),
  [findSegments([]).text]: async () => ({ command: 'SELECT', rows: [{ isNear: false }] }),
  [findSealed([]).text]: async () => ({ command: 'SELECT', rows: [] }),

  'insert-dead-letters': async ({ tables, transaction, values }) => {
    const letters = JSON.parse(String(values[0])) as (LetterRow & { readonly redelivered: boolean })[]
    const known = new Set<string>()
    if (letters.some(({ redelivered }) => redelivered)) {
      for (const row of tables.letters) if (transaction.sees(row)) known.add(row.value.fingerprint)
    }
    for (const { redelivered, ...value } of letters) {
      if (redelivered && known.has(value.fingerprint)) continue
      const row: Row<LetterRow> = { value, owner: transaction }
      tables.letters.add(row)
      transaction.changed({
        commit: () => {
          row.owner = null
          tables.newLetters.push(value)
        },
        undo: () => tables.letters.delete(row),
      })
    }
    return { command: 'INSERT', rows: [] }
  },

  'upsert-devices': async ({ tables, transaction, values }) => {
    const devices = JSON.parse(String(values[0])) as DeviceSeen[]
    devices.sort((one, other) => (one.deviceId < other.deviceId ? -1 : 1))
    for (const each of devices) await seeDevice(tables, transaction, each)
    return { command: 'INSERT', rows: [] }
  },

  'recover-devices': async ({ tables, transaction }) => {
    const owed = new Map<string, DeviceSeen>()
    for (const row of tables.series.values()) {
      if (!transaction.sees(row)) continue
      const { device: deviceId, seen: firstSeen, last: lastSeen } = row.value
      owed.set(deviceId, spanning(owed.get(deviceId), { deviceId, firstSeen, lastSeen }))
    }
    for (const [deviceId, each] of [...owed].sort(([one], [other]) => (one < other ? -1 : 1))) {
      const row = tables.devices.get(deviceId)
      if (row === undefined || !transaction.sees(row) || row.value.last < each.lastSeen)
        await seeDevice(tables, transaction, each)
    }
    return { command: 'INSERT', rows: [] }
  },

  /** For the rule of silence, which the promises do not cover. */
  'note-ingest-stops': async () => ({ command: 'SELECT', rows: [] }),

  /** For jobs that the promises do not cover. */
  'note-backlog': async () => ({ command: 'INSERT', rows: [] }),
  'note-arrivals': async () => ({ command: 'INSERT', rows: [] }),

  'upsert-series': async ({ tables, transaction, values }) => {
    const rows = JSON.parse(String(values[0])) as SeriesRow[]
    rows.sort((one, other) => (seriesKey(one) < seriesKey(other) ? -1 : 1))
    for (const row of rows) await addToSeries(tables, transaction, row)
    return { command: 'INSERT', rows: [] }
  },

  'defer-series': async ({ tables, transaction, values }) => {
    const [devices, types, events, newest, last, , first] = values.map((value) => readArray(String(value)))
    const rows = (newest ?? []).map((text, n) => ({
      device: String(devices?.[n]),
      type: String(types?.[n]),
      n: Number(events?.[n]),
      seen: String(first?.[n] ?? last?.[n]),
      last: String(last?.[n]),
      ts: String(text).slice(0, TIME_CHARACTERS),
      id: String(text).slice(TIME_CHARACTERS + 1),
    }))
    const row: Row<readonly SeriesRow[]> = { value: rows, owner: transaction }
    tables.pending.add(row)
    transaction.changed({
      commit: () => {
        row.owner = null
      },
      undo: () => tables.pending.delete(row),
    })
    return { command: 'INSERT', rows: [] }
  },

  'fold-series': async ({ tables, transaction }) => {
    const taken = [...tables.pending].filter((row) => transaction.sees(row))
    const merged = new Map<string, SeriesRow>()
    for (const each of taken.flatMap(({ value }) => value)) {
      const before = merged.get(seriesKey(each))
      merged.set(seriesKey(each), before === undefined ? each : joined(before, each))
    }
    for (const [, row] of [...merged].sort(([one], [other]) => (one < other ? -1 : 1))) {
      const event = tables.events.get(row.id)
      if (event !== undefined && transaction.sees(event)) await addToSeries(tables, transaction, row)
    }
    for (const row of taken) {
      tables.pending.delete(row)
      transaction.changed({ commit: () => {}, undo: () => tables.pending.add(row) })
    }
    return { command: 'SELECT', rows: [{ fold_series: String(taken.length) }] }
  },

  [findTypes([], 0).text]: async ({ tables, transaction, values }) => {
    const [json, limit] = values as [string, number]
    const rows = (JSON.parse(json) as AskedTypes[]).map(({ device, types }) => {
      const have: string[] = []
      for (const row of tables.series.values())
        if (row.value.device === device && transaction.sees(row)) have.push(row.value.type)
      return {
        device,
        known: have.filter((type) => types.includes(type)),
        count: Math.min(limit, have.length),
      }
    })
    return { command: 'SELECT', rows }
  },

  'add-stats': async ({ tables, transaction, values, minute }) => {
    const [writer, messages, stored, duplicate, rejected] = values as [string, number, number, number, number]
    const received = stored + duplicate + rejected
    const add = { messages, received, stored, duplicate, rejected }
    await upsert(tables.stats, `${minute} ${writer}`, transaction, (old) =>
      old === null ? add : sum(old, add),
    )
    return { command: 'INSERT', rows: [] }
  },
}

const TIME_CHARACTERS = 27

/** Reads an array literal of quoted texts and bare words, as written by defer-series. */
function readArray(literal: string): readonly unknown[] {
  return JSON.parse(`[${literal.slice(1, -1).replaceAll('NULL', 'null')}]`) as unknown[]
}

async function addToSeries(tables: Tables, transaction: Transaction, row: SeriesRow): Promise<void> {
  await upsert(tables.series, seriesKey(row), transaction, (old) => (old === null ? row : joined(old, row)))
}

function joined(old: SeriesRow, row: SeriesRow): SeriesRow {
  const isNewer = row.ts > old.ts || (row.ts === old.ts && row.id > old.id)
  const [seen, last] = [old.seen < row.seen ? old.seen : row.seen, old.last > row.last ? old.last : row.last]
  return { ...(isNewer ? row : old), n: old.n + row.n, seen, last }
}

async function seeDevice(
  tables: Tables,
  transaction: Transaction,
  { deviceId, firstSeen, lastSeen }: DeviceSeen,
): Promise<void> {
  await upsert(tables.devices, deviceId, transaction, (old) => ({
    first: old !== null && old.first < firstSeen ? old.first : firstSeen,
    last: old !== null && old.last > lastSeen ? old.last : lastSeen,
  }))
}

function spanning(old: DeviceSeen | undefined, { deviceId, firstSeen, lastSeen }: DeviceSeen): DeviceSeen {
  if (old === undefined) return { deviceId, firstSeen, lastSeen }
  return {
    deviceId,
    firstSeen: old.firstSeen < firstSeen ? old.firstSeen : firstSeen,
    lastSeen: old.lastSeen > lastSeen ? old.lastSeen : lastSeen,
  }
}

function seriesKey({ device, type }: Pick<SeriesRow, 'device' | 'type'>): string {
  return `${device}\n${type}`
}

const COPIED = 'id device type num txt unit ts dev local raw srv schema meta exact'.split(' ')
const UNESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' }

/** Reads the part of COPY's text format that copy-events writes (PostgreSQL manual, COPY, File Formats). */
function readCopied(data: string): InputRow[] {
  const read: Readonly<Record<string, (text: string) => unknown>> = {
    num: Number,
    schema: Number,
    meta: JSON.parse,
  }
  return data
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const fields = line.split('\t').flatMap((field, n) => {
        if (field === '\\N') return []
        const text = field.replace(/\\(.)/g, (_, character: string) => UNESCAPED[character] ?? character)
        const name = COPIED[n] as string
        return [[name, read[name]?.(text) ?? text]]
      })
      return Object.fromEntries(fields) as InputRow
    })
}

function sum(one: StatsRow, other: StatsRow): StatsRow {
  return {
    messages: one.messages + other.messages,
    received: one.received + other.received,
    stored: one.stored + other.stored,
    duplicate: one.duplicate + other.duplicate,
    rejected: one.rejected + other.rejected,
  }
}

/** Acts on the row of a key, if any, as soon as no other transaction is writing it. */
async function whenFree<T, R>(
  transaction: Transaction,
  find: () => Row<T> | undefined,
  act: (row: Row<T> | undefined) => R,
): Promise<R> {
  for (let row = find(); ; row = find()) {
    if (row === undefined || transaction.sees(row)) return act(row)
    await transaction.waitFor(row.owner as Transaction)
  }
}

function insert<T>(
  table: Map<string, Row<T>>,
  key: string,
  value: T,
  owner: Transaction,
  onCommit: () => void = () => {},
): void {
  const row: Row<T> = { value, owner }
  table.set(key, row)
  owner.changed({
    commit: () => {
      row.owner = null
      onCommit()
    },
    undo: () => table.delete(key),
  })
}

function upsert<T>(
  table: Map<string, Row<T>>,
  key: string,
  transaction: Transaction,
  next: (old: T | null) => T,
): Promise<void> {
  return whenFree(
    transaction,
    () => table.get(key),
    (row) => {
      if (row === undefined) return insert(table, key, next(null), transaction)
      const { value, owner } = row
      row.value = next(value)
      row.owner = transaction
      transaction.changed({
        commit: () => {
          row.owner = null
        },
        undo: () => {
          row.value = value
          row.owner = owner
        },
      })
    },
  )
}
