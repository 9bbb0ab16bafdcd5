import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DEFAULT_LIMITS, EventTopic } from '@qs-telemetry/protocol'
import pg from 'pg'
import { SystemClock } from '../../src/app/system-clock.ts'
import { connect } from '../../src/database/connect.ts'
import { migrate } from '../../src/database/migrate.ts'
import { decodeMessage } from '../../src/decode/decode-message.ts'
import type { Delivery } from '../../src/pipeline/delivery.ts'
import { SeriesPace } from '../../src/sink/series-pace.ts'
import { Sink } from '../../src/sink/sink.ts'
import { freshDatabase } from '../support/postgres.ts'
import { seriesRows } from '../support/series-rows.ts'
import { silentLog } from '../support/silent-log.ts'
import { until } from '../support/until.ts'

test('a quiet system writes each batch at once, a busy one 200 rows a second', () => {
  const pace = new SeriesPace()
  for (let second = 0; second < 100; second++) assert.equal(pace.choose(150, second * 1000), 'write')
  let written = 0
  for (let n = 0; n < 1000; n++) if (pace.choose(100, 100_000 + n * 100) === 'write') written += 100
  assert.ok(written > 19_000 && written < 21_000, `${written} rows in 100 s`)
  assert.equal(pace.choose(20_000, 1e9), 'defer')
  assert.equal(pace.choose(1, 1e9), 'write', 'what was refused has cost nothing')
})

test('a fold follows what was deferred, at first what another process left, and a long one comes rarely', () => {
  const pace = new SeriesPace()
  assert.ok(pace.isFoldDue(0))
  pace.foldBegins()
  pace.deferred()
  assert.ok(!pace.isFoldDue(5_000), 'one at a time')
  pace.foldEnded(0, 10)
  assert.ok(!pace.isFoldDue(1_009))
  assert.ok(pace.isFoldDue(1_010))
  pace.foldBegins()
  pace.foldEnded(1_010, 2_010)
  assert.ok(!pace.isFoldDue(100_000), 'nothing is pending')
  pace.deferred()
  assert.ok(pace.isFoldDue(12_010))
  assert.ok(!pace.isFoldDue(12_009))
})

async function start(t: TestContext) {
  const url = await freshDatabase(t)
  await migrate(url)
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  const sinks: Sink[] = []
  t.after(async () => {
    for (const sink of sinks) sink.stop()
    await database.end()
  })
  const openSink = () => {
    const sink = new Sink({
      writers: 3,
      eventTypes: 1_000,
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

/** A message of each of 600 devices. */
function fleet(): readonly Delivery[] {
  return Array.from({ length: 600 }, (_, d) => ({
    topic: `qs/v1/d${d}/events`,
    payload: Buffer.from(
      JSON.stringify({ schema: 1, device_id: `d${d}`, event_id: `e${ids++}`, event_type: 't', value: ids }),
    ),
    redelivered: false,
    receivedAt: { epochMs: Date.parse('2026-11-23T18:00:00Z') + ids, micros: 123 },
    settle: () => {},
  }))
}

function decode(from: Delivery) {
  return decodeMessage(from, {
    topic: new EventTopic('qs/v1/+/events'),
    limits: DEFAULT_LIMITS,
    clockTrust: { maxPastMs: 1e12, maxFutureMs: 1e12 },
    timeZoneOf: () => 'UTC',
  })
}

const send = (sink: Sink, deliveries: readonly Delivery[]) => sink.write(sink.gather(deliveries, decode))

async function agrees(database: pg.Client): Promise<void> {
  const { kept, expected } = await seriesRows(database)
  assert.deepEqual(kept, expected)
}

async function countPending(database: pg.Client): Promise<number> {
  const { rows } = await database.query('select count(*)::int as pending from series_pending')
  return rows[0].pending
}

test('new series and a lone event are there with their batch, a flood is there after the drain', async (t) => {
  const { database, openSink } = await start(t)
  const sink = openSink()
  await send(sink, fleet())
  await agrees(database)
  await send(sink, fleet().slice(0, 1))
  await agrees(database)
  await Promise.all(Array.from({ length: 10 }, () => send(sink, fleet())))
  assert.ok((await countPending(database)) > 5, 'updates of known series wait')
  await sink.drain()
  assert.equal(await countPending(database), 0)
  await agrees(database)
})

test('what an ingester that was killed has deferred is merged after the next start, exactly', async (t) => {
  const { database, openSink } = await start(t)
  const killed = openSink()
  for (let n = 0; n < 4; n++) await send(killed, fleet())
  killed.stop()
  assert.equal(await countPending(database), 3)
  const next = openSink()
  next.start()
  await until(async () => (await countPending(database)) === 0, 'nothing is pending')
  await agrees(database)
})

test('a device that was removed does not come back with what was deferred', async (t) => {
  const { database, openSink } = await start(t)
  const sink = openSink()
  for (let n = 0; n < 3; n++) await send(sink, fleet())
  assert.equal(await countPending(database), 2)
  await database.query("delete from events where device_id = 'd1'")
  await database.query("delete from series where device_id = 'd1'")
  await sink.drain()
  await agrees(database)
})
