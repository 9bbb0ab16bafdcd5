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
import { Sink } from '../../src/sink/sink.ts'

async function start(t: TestContext) {
  const url = await migratedDatabase(t)
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  const sinks: Sink[] = []
  const retries: string[] = []
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
      onRetry: (reason) => retries.push(reason),
    })
    sinks.push(sink)
    return sink
  }
  return { database, openSink, retries }
}

let ids = 0

/** A message from each of 600 devices. */
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

test('new series and a single event are written with their batch, a flood is written after the drain', async (t) => {
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

test('changes deferred by a killed ingester are merged exactly after the next start', async (t) => {
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

test('a removed device does not come back with deferred changes', async (t) => {
  const { database, openSink } = await start(t)
  const sink = openSink()
  for (let n = 0; n < 3; n++) await send(sink, fleet())
  assert.equal(await countPending(database), 2)
  await database.query("delete from events where device_id = 'd1'")
  await database.query("delete from series where device_id = 'd1'")
  await sink.drain()
  await agrees(database)
})

/** The numbers of silent series when devices were last seen, with the number of devices for each. */
async function silentSeries(database: pg.Client): Promise<unknown> {
  const { rows } = await database.query(
    'select silent_series as silent, count(*)::int as devices from devices group by 1 order by 1',
  )
  return rows
}

/** Gives each series a rhythm of one minute, last seen a day ago. */
async function goQuiet(database: pg.Client): Promise<void> {
  const day = "- interval '1 day'"
  await database.query(`update series set silent_after = 60, last_seen = last_seen ${day}`)
  await database.query(`update devices set last_seen = last_seen ${day}`)
}

test('after an outage, devices whose series were deferred have no silent series', async (t) => {
  const { database, openSink } = await start(t)
  const before = openSink()
  await send(before, fleet())
  await before.drain()
  await goQuiet(database)
  const sink = openSink()
  await send(sink, fleet())
  assert.equal(await countPending(database), 1)
  await send(sink, fleet().slice(0, 1))
  assert.deepEqual(await silentSeries(database), [{ silent: 0, devices: 600 }], 'no row is written yet')
  await sink.drain()
  assert.deepEqual(await silentSeries(database), [{ silent: 0, devices: 600 }])
  const { rows } = await database.query(
    'select count(*)::int as late from devices d join series s using (device_id) where d.last_seen < s.last_seen',
  )
  assert.deepEqual(rows, [{ late: 0 }])
})

test('devices not yet written by a killed ingester are there after the next start', async (t) => {
  const { database, openSink } = await start(t)
  const killed = openSink()
  await send(killed, fleet())
  await send(killed, fleet())
  killed.stop()
  assert.equal(await countPending(database), 1)
  assert.equal((await database.query('select from devices')).rowCount, 0)
  const next = openSink()
  next.start()
  const { rows: expected } = await database.query(
    'select device_id, min(ts_server) as first_seen, max(ts_server) as last_seen from events group by 1 order by 1',
  )
  await until(
    async () => (await database.query('select from devices')).rowCount === 600,
    'every device has its row',
  )
  const { rows } = await database.query(
    'select device_id, first_seen, last_seen from devices order by device_id',
  )
  assert.deepEqual(rows, expected)
})

test('a failed fold is retried until series and devices are written', async (t) => {
  const { database, openSink, retries } = await start(t)
  const before = openSink()
  await send(before, fleet())
  await before.drain()
  await goQuiet(database)
  const sink = openSink()
  await send(sink, fleet())
  await database.query('alter table devices rename to gone')
  const drained = sink.drain()
  await until(() => retries.length > 1, 'two folds have failed')
  assert.equal(await countPending(database), 1)
  await database.query('alter table gone rename to devices')
  await drained
  assert.equal(await countPending(database), 0)
  assert.deepEqual(await silentSeries(database), [{ silent: 0, devices: 600 }])
  const { rows } = await database.query(
    `select count(*)::int as late from devices where last_seen < (select min(last_seen) from series)`,
  )
  assert.deepEqual(rows, [{ late: 0 }])
})

test('the first batch after a stop of ingest excludes the stop from the silence of devices and sensors', async (t) => {
  const { database, openSink } = await start(t)
  const hourly =
    "arrived_at = now() - interval '4.5 hours', last_seen = now() - interval '4.5 hours', silent_after = 10800"
  const before = openSink()
  await send(before, fleet())
  await before.drain()
  await database.query(`update series set ${hourly}`)
  await database.query(`
    update devices set last_seen = now() - interval '4.5 hours', silent_after = case device_id when 'd0' then 60 else 10800 end;
    update devices set last_seen = now() - interval '4 hours' where device_id = 'd0';
    insert into series select device_id, 'slow', events, first_ts, first_seen, last_seen, every_seconds, ts, event_id, value_num,
      value_text, unit, ts_device, ts_device_readable, ts_server, arrived_at, gaps, silent_after from series where device_id = 'd0';
    delete from ingest_stats;
    insert into ingest_stats
    select date_trunc('minute', at), 'w', 1, 1, 1, 0, 0
    from generate_series(now() - interval '2 days', now() - interval '4 hours', '1 minute') as at`)
  const silent = async () =>
    (await database.query('select count(*)::int as silent from silence where is_silent')).rows[0].silent
  assert.equal(await silent(), 600, 'every device is silent during the stop')
  const sink = openSink()
  await send(sink, [{ ...(fleet()[0] as Delivery), receivedAt: { epochMs: Date.now(), micros: 123 } }])
  await sink.drain()
  assert.equal(await silent(), 0)
  const { rows } = await database.query(`select silent_series from devices where device_id = 'd0'`)
  assert.deepEqual(rows, [{ silent_series: 0 }])
  const { rows: stops } = await database.query(
    'select round(extract(epoch from ended - began) / 60) - 240 as minutes from ingest_stops',
  )
  assert.equal(stops.length, 1)
  assert.ok(Math.abs(Number(stops[0].minutes)) <= 1, `${stops[0].minutes} minutes too long`)
})
