import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DEFAULT_LIMITS, EventTopic } from '@qs-telemetry/protocol'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { seriesRows } from '@qs-telemetry/testing/series-rows.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'
import { connect } from '../../src/database/connect.ts'
import { decodeMessage } from '../../src/decode/decode-message.ts'
import { SystemClock } from '../../src/pipeline/clock.ts'
import type { Delivery } from '../../src/pipeline/delivery.ts'
import type { Outcome } from '../../src/pipeline/message.ts'
import { KnownTypes } from '../../src/sink/known-types.ts'
import { SeriesChanges } from '../../src/sink/series-changes.ts'
import { Sink } from '../../src/sink/sink.ts'

const LIMIT = 5

type Types = readonly (string | { readonly id: string; readonly type: string })[]

async function start(t: TestContext) {
  const url = await migratedDatabase(t)
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  const sinks: Sink[] = []
  t.after(async () => {
    for (const sink of sinks) sink.stop()
    await database.end()
  })
  const openSink = (eventTypes = LIMIT) => {
    const sink = new Sink({
      writers: 3,
      eventTypes,
      name: `test${sinks.length}`,
      connect: () => connect({ url, name: 'test', connectTimeoutMs: 5_000 }),
      timeoutMs: 30_000,
      clock: new SystemClock(),
      random: Math.random,
      log: silentLog().log,
      onRetry: () => {},
    })
    sinks.push(sink)
    return sink
  }
  return { database, openSink }
}

let ids = 0

function delivery(types: Types, { deviceId = 'd', redelivered = false } = {}): Delivery {
  const events = types.map((each) => {
    const { id, type } = typeof each === 'string' ? { id: `e${ids++}`, type: each } : each
    return { schema: 1, device_id: deviceId, event_id: id, event_type: type, value: 1 }
  })
  return {
    topic: `qs/v1/${deviceId}/events`,
    payload: Buffer.from(JSON.stringify(events)),
    redelivered,
    receivedAt: { epochMs: Date.parse('2026-11-23T18:00:00Z'), micros: 123 },
    settle: () => {},
  }
}

function decode(from: Delivery) {
  return decodeMessage(from, {
    topic: new EventTopic('qs/v1/+/events'),
    limits: DEFAULT_LIMITS,
    clockTrust: { maxPastMs: 1e12, maxFutureMs: 1e12 },
    timeZoneOf: () => 'UTC',
  })
}

const nameOf = (outcome: Outcome) => (outcome.kind === 'rejection' ? outcome.code : outcome.kind)

async function send(sink: Sink, ...deliveries: readonly Delivery[]): Promise<readonly (readonly string[])[]> {
  const result = await sink.write(sink.gather(deliveries, decode))
  return result.map((outcomes) => outcomes.map(nameOf))
}

const TOO_MANY = 'TOO_MANY_EVENT_TYPES'

for (const redelivered of [false, true])
  test(`one type too many costs only its own events, and the others are stored at their indexes${redelivered ? ', also when inserted' : ''}`, async (t) => {
    const { database, openSink } = await start(t)
    const sink = openSink()
    assert.deepEqual(await send(sink, delivery(['a', 'b', 'c', 'd'], { redelivered })), [
      ['stored', 'stored', 'stored', 'stored'],
    ])
    const outcomes = await send(
      sink,
      delivery(['a', 'n1', 'n2', 'b', 'n1', 'n3'], { redelivered }),
      delivery(['n1', 'n2', 'n3'], { deviceId: 'other', redelivered }),
    )
    assert.deepEqual(outcomes, [
      ['stored', 'stored', TOO_MANY, 'stored', 'stored', TOO_MANY],
      ['stored', 'stored', 'stored'],
    ])
    const { rows } = await database.query('select code, error, trace from dead_letters order by 1')
    assert.equal(rows.length, 2)
    assert.match(
      rows[0].error,
      /^"d" already has 5 event types\..*put it in meta or value.*LIMIT_EVENT_TYPES/,
    )
    assert.match(rows[0].trace, /event_type "n2"/)
    const { kept, expected } = await seriesRows(database)
    assert.deepEqual(kept, expected)
  })

test('exactly the limit of types is reached, whatever concurrent writers bring', async (t) => {
  const { database, openSink } = await start(t)
  const sink = openSink(50)
  const batches = Array.from({ length: 12 }, (_, n) =>
    send(sink, delivery(Array.from({ length: 10 }, (_, i) => `t${n * 7 + i}`))),
  )
  const outcomes = (await Promise.all(batches)).flat(2)
  const { rows } = await database.query('select count(*)::int as types from series')
  assert.deepEqual(rows, [{ types: 50 }])
  assert.ok(outcomes.includes(TOO_MANY) && outcomes.includes('stored'))
})

test('a batch that fills the limit and exceeds it lets no other batch count before it is committed', async (t) => {
  const { database, openSink } = await start(t)
  const sink = openSink()
  await send(sink, delivery(['a']))
  await database.query('begin; lock table events in share mode')
  const filling = send(sink, delivery(['b', 'c', 'd', 'e', 'f']))
  const waits = "select from pg_locks where not granted and relation = 'events'::regclass"
  const waiting = async (batches: number) => (await database.query(waits)).rowCount === batches
  await until(() => waiting(1), 'the first batch waits')
  const next = send(sink, delivery(['g', 'h']))
  // Long enough for a batch that waits for nothing to reach the table.
  await database.query('select pg_sleep(0.5)')
  assert.ok(await waiting(1))
  await database.query('commit')
  assert.deepEqual(await filling, [['stored', 'stored', 'stored', 'stored', TOO_MANY]])
  assert.deepEqual(await next, [[TOO_MANY, TOO_MANY]])
})

test('stored events remain duplicates, and existing types remain accepted even beyond the limit', async (t) => {
  const { openSink } = await start(t)
  const many = Array.from({ length: 12 }, (_, n) => ({ id: `first${n}`, type: `t${n}` }))
  await send(openSink(100), delivery(many))
  // As after a restart with a lower limit, with an empty cache.
  const sink = openSink()
  assert.deepEqual(
    await send(sink, delivery([...many.slice(0, 3), 't11', 'new', { id: 'first1', type: 't2' }])),
    [['duplicate', 'duplicate', 'duplicate', 'stored', TOO_MANY, 'EVENT_ID_CONFLICT']],
  )
  assert.deepEqual(await send(sink, delivery(many, { redelivered: true })), [many.map(() => 'duplicate')])
  assert.deepEqual(await send(sink, delivery(['new'])), [[TOO_MANY]])
})

test('a type without a stored event does not count', async (t) => {
  const { database, openSink } = await start(t)
  await database.query("alter table events add constraint no_poison check (event_type !~ 'poison')")
  const sink = openSink()
  await send(sink, delivery([{ id: 'x', type: 'a' }]))
  for (let n = 0; n < 10; n++) {
    assert.deepEqual(await send(sink, delivery([`poison${n}`])), [['STORAGE_REJECTED']])
    assert.deepEqual(await send(sink, delivery([{ id: 'x', type: `other${n}` }])), [['EVENT_ID_CONFLICT']])
  }
  assert.deepEqual(await send(sink, delivery(['b', 'c', 'd', 'e', 'f'])), [
    ['stored', 'stored', 'stored', 'stored', TOO_MANY],
  ])
})

test('a device whose rows were removed starts over', async (t) => {
  const { database, openSink } = await start(t)
  const sink = openSink()
  await send(sink, delivery(['a', 'b', 'c', 'd', 'e', 'f']))
  sink.forgetDevices((deviceId) => deviceId === 'd')
  await database.query('delete from events; delete from series')
  const names = ['g', 'h', 'i', 'j', 'k', 'l']
  assert.deepEqual(await send(sink, delivery(names)), [[...Array<string>(5).fill('stored'), TOO_MANY]])
})

test('the cache of types is bounded, holds a large fleet, and reports only unknown types', () => {
  const changesOf = (deviceId: string, types: readonly string[]) => {
    const changes = new SeriesChanges()
    for (const type of types) {
      const [element] = decode(delivery([type], { deviceId })).elements
      if (element?.kind === 'event') changes.add(element, '2026-11-23T18:00:00.000123Z')
    }
    return changes.byDevice
  }
  const knownTypes = new KnownTypes(1_000)
  for (let device = 0; device < 20_000; device++)
    for (let type = 0; type < 5; type++) knownTypes.learn(`esp32-a1b2c3d4${device}`, `temperature${type}`)
  assert.equal(knownTypes.size, 100_000)
  assert.equal(knownTypes.strangers(changesOf('esp32-a1b2c3d40', ['temperature0', 'temperature4'])).size, 0)
  assert.deepEqual(
    [...knownTypes.strangers(changesOf('esp32-a1b2c3d40', ['temperature0', 'new']))],
    [['esp32-a1b2c3d40', ['new']]],
  )
  const long = 'x'.repeat(120)
  for (let n = 0; n < 200_000; n++) knownTypes.learn('hostile', `${long}${n}`)
  assert.ok(knownTypes.size < 100_000, `${knownTypes.size}`)
})
