import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { DEFAULT_LIMITS, EventTopic, formatInstant } from '@qs-telemetry/protocol'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { startTestCluster } from '@qs-telemetry/testing/postgres-cluster.ts'
import { seriesRows } from '@qs-telemetry/testing/series-rows.ts'
import pg from 'pg'
import { connect } from '../../src/database/connect.ts'
import { migrate } from '../../src/database/migrate.ts'
import { decodeMessage } from '../../src/decode/decode-message.ts'
import type { Message } from '../../src/pipeline/message.ts'
import type { Connection } from '../../src/sink/connection.ts'
import { CopyProspects } from '../../src/sink/copy-prospects.ts'
import { CopyRows } from '../../src/sink/copy-rows.ts'
import { gather, NO_MESSAGES } from '../../src/sink/gather.ts'
import { type BatchContext, writeBatch } from '../../src/sink/write-batch.ts'

const NOW = Date.parse('2026-11-23T18:00:00Z')

async function start(t: TestContext, migrated?: string) {
  const url = migrated ?? (await migratedDatabase(t))
  const open = () => connect({ url, name: 'test', connectTimeoutMs: 5_000 })
  const connection = await open()
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  t.after(async () => {
    connection.destroy()
    await database.end()
  })
  return { open, connection, database }
}

function context(extra: Partial<BatchContext> = {}): BatchContext {
  return { writer: 'w', devices: [], isRetry: false, prospects: new CopyProspects(), nowMs: 0, ...extra }
}

/** Merges deferred changes. */
function fold(connection: Connection) {
  return writeBatch(connection, NO_MESSAGES, context({ series: 'fold' }))
}

interface Sent {
  readonly event_id: string
  readonly event_type?: string
  readonly [field: string]: unknown
}

interface MessageOptions {
  readonly deviceId?: string
  /** Microseconds after NOW. */
  readonly micros?: number
}

function message(
  events: readonly Sent[],
  { deviceId = 'd', micros = 123_456 }: MessageOptions = {},
): Message {
  const payload = events.map((event) => ({ schema: 1, device_id: deviceId, event_type: 't', ...event }))
  return decodeMessage(
    {
      topic: `qs/v1/${deviceId}/events`,
      payload: Buffer.from(JSON.stringify(payload)),
      redelivered: false,
      receivedAt: { epochMs: NOW + Math.floor(micros / 1000), micros: micros % 1000 },
      settle: () => {},
    },
    {
      topic: new EventTopic('qs/v1/+/events'),
      limits: DEFAULT_LIMITS,
      clockTrust: { maxPastMs: 1e12, maxFutureMs: 1e12 },
      timeZoneOf: () => 'UTC',
    },
  )
}

const copied = (...messages: readonly Message[]) => gather(messages, new CopyRows(), '2026-11-23T18:00:00Z')
const inserted = (...messages: readonly Message[]) => gather(messages, null, '2026-11-23T18:00:00Z')

/** A deterministic random generator. */
function dice(seed: number) {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const below = (n: number) => Math.floor(next() * n)
  return { below, pick: <T>(all: readonly T[]) => all[below(all.length)] as T }
}

type Dice = ReturnType<typeof dice>

/** Ids repeat, with the same and with different content; times go back and repeat; ids sort differently in UTF-16. */
function randomEvent({ below, pick }: Dice): Sent {
  const second = String(below(6)).padStart(2, '0')
  return {
    event_id: `${pick(['a', '￿', '😀', 'ä', '', 'a'])}${below(400)}`,
    event_type: pick(['temp', 'door', 'temp', 'x\ny', 'poison', 'Ünï']),
    value: pick([1, -0, 1e300, null, 'open', '😀'.repeat(150), `${'a'.repeat(199)}😀b`, 0.1]),
    ...(below(3) > 0 && { ts_device: `2026-11-2${below(3)}T12:00:${second}.12345${below(10)}Z` }),
    ...(below(9) === 0 && { ts_device: 'soon' }),
    ...(below(2) === 0 && { unit: pick(['°C', 'F']) }),
  }
}

test('series equals an aggregate over events, with late, duplicate, conflicting and rejected events', async (t) => {
  const { connection, database } = await start(t)
  await database.query("alter table events add constraint no_poison check (event_type <> 'poison')")
  const random = dice(20_261_128)
  const seen = new Set<string>()
  const sent: Sent[] = []
  const next = () => {
    const event = sent.length > 0 && random.below(5) === 0 ? random.pick(sent) : randomEvent(random)
    sent.push(event)
    return event
  }
  for (let n = 0; n < 80; n++) {
    const messages = Array.from({ length: 1 + random.below(5) }, () =>
      message(Array.from({ length: 1 + random.below(8) }, next), {
        deviceId: random.pick(['d', 'é', 'f']),
        micros: random.below(3_000_000),
      }),
    )
    const batch = random.below(2) === 0 ? copied(...messages) : inserted(...messages)
    const isRetry = random.below(8) === 0
    const series = random.pick(['write', 'defer'] as const)
    const results = (await writeBatch(connection, batch, context({ isRetry, series }))).flat()
    for (const outcome of results) seen.add(outcome.kind === 'rejection' ? outcome.code : outcome.kind)
    // The same batch once more, as after a COMMIT whose answer was lost.
    if (isRetry) await writeBatch(connection, inserted(...messages), context({ isRetry, series }))
    if (random.below(6) === 0) await fold(connection)
    if (n % 10 === 9) {
      await fold(connection)
      const { kept, expected } = await seriesRows(database)
      assert.deepEqual(kept, expected, `after ${n + 1} batches`)
    }
  }
  assert.deepEqual(
    [...seen].sort(),
    ['EVENT_ID_CONFLICT', 'STORAGE_REJECTED', 'duplicate', 'stored'],
    'all kinds of outcome occurred',
  )
  const before = (await seriesRows(database)).kept
  assert.ok(before.length >= 12)
  await database.query('select recount_series()')
  assert.deepEqual((await seriesRows(database)).kept, before, 'a recount changes nothing')
})

for (const series of ['write', 'defer'] as const)
  test(`a connection that dies around COMMIT counts an event once: ${series}`, async (t) => {
    const { open, database } = await start(t)
    for (let n = 0; n < 30; n++) {
      const one = message(
        Array.from({ length: 20 }, (_, i) => ({ event_id: `e${n}-${i}`, event_type: `t${i % 3}`, value: i })),
      )
      const victim = await open()
      const [pid] = (await victim.query({ text: 'select pg_backend_pid() as pid' })).rows
      const first = writeBatch(victim, copied(one), context({ writer: `w${n}`, series })).catch(() => 'died')
      // Each time at a different moment, from before the first statement to after COMMIT.
      for (let turns = 0; turns < n; turns++) await new Promise((resolve) => setImmediate(resolve))
      if (n % 2 === 0) victim.destroy()
      else await database.query('select pg_terminate_backend($1)', [pid.pid])
      await first
      const next = await open()
      const [outcomes] = await writeBatch(next, inserted(one), context({ isRetry: true, series }))
      for (const outcome of outcomes ?? [])
        assert.ok(outcome.kind === 'stored' || outcome.kind === 'duplicate')
      await fold(next)
      next.destroy()
      victim.destroy()
    }
    const { kept, expected } = await seriesRows(database)
    assert.deepEqual(kept, expected)
    const { rows } = await database.query('select sum(events)::int as events from series')
    assert.deepEqual(rows, [{ events: 600 }])
  })

test('a connection that dies around the COMMIT of a fold adds each change once', async (t) => {
  const { open, connection, database } = await start(t)
  for (let n = 0; n < 30; n++) {
    const one = message(
      Array.from({ length: 20 }, (_, i) => ({ event_id: `e${n}-${i}`, event_type: `t${i % 3}` })),
    )
    await writeBatch(connection, copied(one), context({ series: 'defer' }))
    const victim = await open()
    const [pid] = (await victim.query({ text: 'select pg_backend_pid() as pid' })).rows
    const first = fold(victim).catch(() => 'died')
    for (let turns = 0; turns < n; turns++) await new Promise((resolve) => setImmediate(resolve))
    if (n % 2 === 0) victim.destroy()
    else await database.query('select pg_terminate_backend($1)', [pid.pid])
    await first
    await fold(connection)
    victim.destroy()
  }
  const { kept, expected } = await seriesRows(database)
  assert.deepEqual(kept, expected)
  const { rows } = await database.query('select sum(events)::int as events from series')
  assert.deepEqual(rows, [{ events: 600 }])
})

test('writers with the same series in opposite order neither deadlock nor lose a count', async (t) => {
  const { open, connection, database } = await start(t)
  const writers = await Promise.all([open(), open(), open()])
  t.after(() => {
    for (const each of writers) each.destroy()
  })
  const series = Array.from({ length: 60 }, (_, i) => ({ type: `t${i}`, deviceId: `d${i % 4}` }))
  await Promise.all(
    writers.map(async (one, w) => {
      for (let n = 0; n < 15; n++) {
        const order = w % 2 === 0 ? series : series.toReversed()
        const messages = order.map(({ type, deviceId }) =>
          message([{ event_id: `w${w}-${n}-${type}`, event_type: type, value: n }], { deviceId }),
        )
        const batch = n % 2 === 0 ? copied(...messages) : inserted(...messages)
        const work = (n + w) % 3 === 0 ? 'write' : 'defer'
        const results = await writeBatch(one, batch, context({ writer: `w${w}`, series: work }))
        assert.ok(results.flat().every(({ kind }) => kind === 'stored'))
        if (n % 4 === w) await fold(one)
      }
    }),
  )
  await fold(connection)
  const { kept, expected } = await seriesRows(database)
  assert.deepEqual(kept, expected)
  const { rows } = await database.query(
    'select min(events)::int as least, max(events)::int as most from series',
  )
  assert.deepEqual(rows, [{ least: 45, most: 45 }])
})

test('a recount concurrent with writers counts what they store meanwhile', async (t) => {
  const { open, connection, database } = await start(t)
  const counting = await open()
  t.after(() => counting.destroy())
  let isOver = false
  const recounts = (async () => {
    for (let n = 0; !isOver; n++)
      await counting.query({ text: n % 2 === 0 ? 'select recount_series()' : "select recount_series('{d}')" })
  })()
  for (let n = 0; n < 60; n++) {
    const one = message([{ event_id: `e${n}`, event_type: `t${n % 7}` }, { event_id: `f${n}` }])
    const series = n % 3 === 0 ? 'write' : 'defer'
    await writeBatch(connection, n % 2 === 0 ? copied(one) : inserted(one), context({ series }))
    if (n % 7 === 0) await fold(connection)
  }
  isOver = true
  await recounts
  await fold(connection)
  const { kept, expected } = await seriesRows(database)
  assert.deepEqual(kept, expected)
})

test('a series written at once and a folded one have the same row, batch by batch', async (t) => {
  const { connection, database } = await start(t)
  const random = dice(9)
  const rowOf = async (deviceId: string) => {
    const { rows } = await database.query<{ row: object }>(
      `select to_jsonb(s) - 'device_id' as row from series s where device_id = $1 order by event_type`,
      [deviceId],
    )
    return rows.map(({ row }) => JSON.stringify(row).replaceAll(`${deviceId}-`, ''))
  }
  let micros = 4_000_000_000
  for (let n = 0; n < 40; n++) {
    micros += random.pick([-90_000_000, 0, 123, 19_999_999, 20_000_000, 60_000_000, 61_234_567])
    const events = Array.from({ length: 1 + random.below(6) }, () => randomEvent(random))
    for (const [deviceId, series] of [
      ['written', 'write'],
      ['folded', 'defer'],
    ] as const) {
      const own = events.map((event, at) => ({
        ...event,
        event_id: `${deviceId}-${event.event_id}-${n}-${at}`,
      }))
      await writeBatch(connection, inserted(message(own, { deviceId, micros })), context({ series }))
    }
    await fold(connection)
    assert.deepEqual(await rowOf('folded'), await rowOf('written'), `after ${n + 1} batches`)
  }
})

test('the usual time between two events follows the last ten', async (t) => {
  const { connection, database } = await start(t)
  const send = async (seconds: readonly number[]) => {
    const events = seconds.map((at) => ({
      event_id: `e${at}`,
      ts_device: formatInstant({ epochMs: NOW + at * 1000, micros: 250 }),
    }))
    await writeBatch(connection, copied(message(events)), context())
    const { rows } = await database.query('select every_seconds as every from series')
    return rows[0]?.every as number | null
  }
  assert.equal(await send([0]), null)
  assert.equal(await send([20]), 20)
  assert.equal(await send([40, 60, 80, 100]), 20)
  let every = 20
  for (let n = 1; n <= 30; n++) every = (await send([100 + 300 * n])) ?? 0
  assert.ok(every > 280 && every < 300, `${every}`)
  assert.equal(await send([10]), every, 'a late event does not affect it')
})

test('updates of a series stay on their page and touch no index', async (t) => {
  // A separate cluster: PostgreSQL removes old row versions only up to the oldest transaction of the whole cluster, so
  // an open transaction in another database, or one of autovacuum, would fill these pages.
  const cluster = await startTestCluster({ settings: ['autovacuum=off'] })
  await migrate(cluster.url)
  const { connection, database } = await start(t, cluster.url)
  t.after(() => cluster.stop())
  const figures = async () => {
    await connection.query({ text: 'select pg_stat_force_next_flush()' })
    const { rows } = await database.query(
      `select n_tup_upd::int as updates, n_tup_hot_upd::int as hot, pg_relation_size('series')::int as bytes
       from pg_stat_user_tables where relname = 'series'`,
    )
    return rows[0] as { updates: number; hot: number; bytes: number }
  }
  const send = async (batches: number) => {
    for (let n = 0; n < batches; n++) {
      const messages = Array.from({ length: 40 }, (_, d) =>
        message([{ event_id: randomUUID(), value: n }], { deviceId: `d${d}` }),
      )
      await writeBatch(connection, copied(...messages), context())
    }
  }
  await send(10)
  const before = await figures()
  await send(50)
  const after = await figures()
  assert.deepEqual(
    {
      grown: after.bytes - before.bytes,
      hot: after.hot - before.hot,
      updates: after.updates - before.updates,
    },
    { grown: 0, hot: 2000, updates: 2000 },
  )
})
