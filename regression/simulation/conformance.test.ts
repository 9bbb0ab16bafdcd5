import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import type { QueryConfig } from 'pg'
import pg from 'pg'
import { connect, type PipelinedConnection } from '../../packages/qs/src/database/connect.ts'
import type { Event } from '../../packages/qs/src/pipeline/message.ts'
import { addStats } from '../../packages/qs/src/sink/add-stats.ts'
import { findTypes } from '../../packages/qs/src/sink/admit-types.ts'
import { compareEvents } from '../../packages/qs/src/sink/compare-events.ts'
import { type Copy, CopyRows } from '../../packages/qs/src/sink/copy-rows.ts'
import { deferSeries, foldSeries } from '../../packages/qs/src/sink/defer-series.ts'
import { FIND_CONSTRAINTS, findViolations } from '../../packages/qs/src/sink/find-violations.ts'
import { insertDeadLetters } from '../../packages/qs/src/sink/insert-dead-letters.ts'
import { insertEvents } from '../../packages/qs/src/sink/insert-events.ts'
import { SeriesChanges } from '../../packages/qs/src/sink/series-changes.ts'
import { CHECK_AT_ONCE } from '../../packages/qs/src/sink/store-events.ts'
import { recoverDevices, upsertDevices } from '../../packages/qs/src/sink/upsert-devices.ts'
import { upsertSeries } from '../../packages/qs/src/sink/upsert-series.ts'
import { Backend } from './backend.ts'
import { Random } from './random.ts'
import { type Answer, FORESEEN, POISON_TYPE } from './statements.ts'
import { Tables } from './tables.ts'

/*
 * The simulated database knows the sink's statements by name. This test sends the same statements in random order to
 * it and to PostgreSQL: both must give the same answers, the same errors and the same final rows.
 */

const TIME = '2026-11-25T12:00:00.000000Z'
const STATEMENTS = 1_500

function row(random: Random) {
  const event: Event = {
    kind: 'event',
    eventId: `e${random.below(40)}`,
    deviceId: random.pick(['a', 'b']),
    eventType: random.chance(0.03) ? POISON_TYPE : random.pick(['t', 'u']),
    valueNum: random.pick([null, 1, -0]),
    valueText: random.pick([null, 'x']),
    valueExact: random.pick([null, null, '1.0000000000000000001']),
    unit: random.pick([null, '°C']),
    ts: TIME,
    tsDevice: random.pick([null, '2026-01-15T12:00:00.000001Z']),
    tsDeviceLocal: random.pick([null, null, '2026-01-15T04:00:00.000001']),
    tsDeviceRaw: null,
    schema: 1,
    meta: random.pick([null, '{"a":1,"b":[2]}', '{"b":[2],"a":1}']),
    warning: null,
  }
  return { event, tsServer: `2026-11-25T12:00:${10 + random.below(50)}.000000Z` }
}

function rows(random: Random) {
  const all = Array.from({ length: random.between(1, 6) }, () => row(random))
  return [...new Map(all.map((each) => [each.event.eventId, each])).values()].sort((one, other) =>
    one.event.eventId < other.event.eventId ? -1 : 1,
  )
}

function letter(random: Random) {
  return {
    rejection: { kind: 'rejection', code: 'INVALID_JSON', message: 'm', trace: 't', eventId: null } as const,
    topic: 'qs/v1/a/events',
    deviceId: 'a',
    receivedAt: TIME,
    payload: Buffer.from(`p${random.below(5)}`),
    index: 0,
    redelivered: random.chance(0.5),
  }
}

function statement(random: Random): QueryConfig {
  switch (random.below(24)) {
    case 0:
    case 1:
      return { text: 'begin' }
    case 2:
    case 3:
      return { text: 'commit' }
    case 4:
      return { text: 'rollback' }
    case 5:
      return { text: 'savepoint part' }
    case 6:
      return { text: 'release savepoint part' }
    case 7:
      return { text: 'rollback to savepoint part' }
    case 8:
      return compareEvents(rows(random))
    case 9:
      return insertDeadLetters([letter(random), letter(random)])
    case 10:
      return addStats('w', { messages: 1, stored: random.below(3), duplicate: 1, rejected: random.below(2) })
    case 11:
      return upsertDevices([{ deviceId: random.pick(['a', 'b']), firstSeen: TIME, lastSeen: TIME }])
    case 12: {
      const changes = new SeriesChanges()
      for (const { event, tsServer } of rows(random)) changes.add(event, tsServer)
      return random.chance(0.5) ? upsertSeries(changes.byDevice) : deferSeries(changes.byDevice)
    }
    case 13:
      return findTypes(
        [
          { device: 'a', types: ['t', 'v'] },
          { device: 'b', types: ['u'] },
        ],
        random.between(1, 4),
      )
    case 14:
    case 15: {
      const copied = new CopyRows()
      for (const { event, tsServer } of rows(random)) copied.add(event, tsServer)
      const { name, text, data } = copied.take() as Copy
      return { name, text, values: [data] }
    }
    case 16:
      return foldSeries()
    case 17:
      return recoverDevices()
    case 18:
      return FIND_CONSTRAINTS
    case 19:
      return CHECK_AT_ONCE
    case 20:
      return findViolations(rows(random), [FORESEEN])
    default:
      return insertEvents(rows(random))
  }
}

async function ask(connection: PipelinedConnection, query: QueryConfig): Promise<Answer> {
  const { name, text, values } = query
  if (name !== 'copy-events') return connection.query(query)
  return {
    command: 'COPY',
    rows: [],
    rowCount: await connection.copy({ text, data: values?.[0] as Buffer }),
  }
}

async function say(answer: Promise<Answer>): Promise<unknown> {
  try {
    const { command, rows: found, rowCount } = await answer
    const sorted = found.map(({ detail: _, ...each }) =>
      // Null is not the same either.
      Array.isArray(each.new_ids)
        ? { new_ids: [...each.new_ids].sort() }
        : { ...each, ...('same' in each && { same: each.same === true }) },
    )
    return {
      command,
      rows: sorted.sort((one, other) => Number(indexOf(one)) - Number(indexOf(other))),
      copied: command === 'COPY' ? rowCount : undefined,
    }
  } catch (error) {
    return { code: (error as { code?: string }).code }
  }
}

function indexOf(row: Readonly<Record<string, unknown>>): unknown {
  return row.index ?? 0
}

test('the simulated database answers as PostgreSQL does', async (t) => {
  const url = await migratedDatabase(t)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const connection = await connect({ url, name: 'test', connectTimeoutMs: 5_000 })
  t.after(async () => {
    connection.destroy()
    await client.end()
  })
  await client.query(`alter table events add constraint foreseen check (${FORESEEN.condition}),
    add constraint no_poison check (event_type <> '${POISON_TYPE}' or events is null)`)
  const tables = new Tables()
  const backend = new Backend(
    tables,
    () => 'minute',
    () => {},
  )

  const random = new Random(4711)
  for (let n = 0; n < STATEMENTS; n++) {
    const query = statement(random)
    const real = await say(ask(connection, query))
    assert.deepEqual(await say(backend.execute(query)), real, `statement ${n}: ${query.name ?? query.text}`)
  }
  for (const text of ['rollback', 'rollback']) {
    await connection.query({ text })
    await backend.execute({ text })
  }

  const one = async (sql: string) => (await client.query(sql)).rows
  const ids = (await one('select event_id from events order by 1')).map(({ event_id }) => event_id)
  assert.deepEqual([...tables.events.keys()].sort(), ids)
  const letters = await one('select fingerprint from dead_letters order by dead_letter_id')
  const undashed = letters.map(({ fingerprint }) => String(fingerprint).replaceAll('-', ''))
  assert.deepEqual(
    [...tables.letters].map(({ value }) => value.fingerprint),
    undashed,
  )
  const [sums] = await one('select sum(received)::int received, sum(stored)::int stored from ingest_stats')
  const [stats] = [...tables.stats.values()]
  assert.deepEqual({ received: stats?.value.received, stored: stats?.value.stored }, sums)
  const seen = await one('select device_id, first_seen, last_seen from devices order by 1')
  assert.deepEqual(
    [...tables.devices]
      .map(([device_id, { value }]) => ({
        device_id,
        first_seen: new Date(value.first),
        last_seen: new Date(value.last),
      }))
      .sort((one, other) => (one.device_id < other.device_id ? -1 : 1)),
    seen,
  )
  const series = await one('select device_id, event_type, events::int, event_id from series order by 1, 2')
  assert.deepEqual(
    [...tables.series.values()]
      .map(({ value: { device, type, n, id } }) => ({
        device_id: device,
        event_type: type,
        events: n,
        event_id: id,
      }))
      .sort((one, other) =>
        `${one.device_id} ${one.event_type}` < `${other.device_id} ${other.event_type}` ? -1 : 1,
      ),
    series,
  )
  assert.ok(ids.length > 20 && letters.length > 5, 'too few rows to prove anything')
})
