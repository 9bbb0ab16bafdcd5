import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DEFAULT_LIMITS, EventTopic, formatInstant } from '@qs-telemetry/protocol'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import pg from 'pg'
import { connect } from '../../src/database/connect.ts'
import { decodeMessage } from '../../src/decode/decode-message.ts'
import { CopyProspects } from '../../src/sink/copy-prospects.ts'
import { gather, NO_MESSAGES } from '../../src/sink/gather.ts'
import type { SeriesWork } from '../../src/sink/series-pace.ts'
import { writeBatch } from '../../src/sink/write-batch.ts'

/** With a fraction, so that nothing works only by chance of whole seconds. */
const START = Date.parse('2026-11-23T18:00:00.123Z')
const [MINUTE, HOUR, DAY] = [60, 3_600, 86_400]

interface Arrival {
  /** Seconds after START. */
  readonly at: number
  readonly type?: string
  /** Seconds since the measurement, for a backlog. */
  readonly age?: number
}

interface Sent extends Arrival {
  readonly deviceId: string
}

async function start(t: TestContext, work: SeriesWork) {
  const url = await migratedDatabase(t)
  const connection = await connect({ url, name: 'test', connectTimeoutMs: 5_000 })
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  t.after(async () => {
    connection.destroy()
    await database.end()
  })
  let sent = 0
  const moment = (seconds: number) =>
    formatInstant({ epochMs: START + Math.round(seconds * 1000), micros: 7 })
  const context = { writer: 'w', isRetry: false, prospects: new CopyProspects(), nowMs: 0 }

  const messageOf = ({ deviceId, at, type = 'temp', age = 0 }: Sent) => {
    const event = { schema: 1, device_id: deviceId, event_type: type, event_id: `e${sent++}`, value: 1 }
    return decodeMessage(
      {
        topic: `qs/v1/${deviceId}/events`,
        payload: Buffer.from(JSON.stringify({ ...event, ts_device: moment(at - age) })),
        redelivered: false,
        receivedAt: { epochMs: START + Math.round(at * 1000), micros: 7 },
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
  const send = async (batch: readonly Sent[]) => {
    const devices = batch.map(({ deviceId, at }) => ({
      deviceId,
      firstSeen: moment(at),
      lastSeen: moment(at),
    }))
    await writeBatch(connection, gather(batch.map(messageOf), null, '2026-11-23T18:00:00Z'), {
      ...context,
      devices,
      series: work,
    })
    if (work === 'defer')
      await writeBatch(connection, NO_MESSAGES, { ...context, devices: [], series: 'fold' })
  }
  /** Sends the arrivals of each device in order of time, the first of all devices in one batch, then the second. */
  const playAll = async (devices: Readonly<Record<string, readonly Arrival[]>>) => {
    const queues = Object.entries(devices).map(([deviceId, arrivals]) =>
      arrivals.toSorted((a, b) => a.at - b.at).map((arrival) => ({ ...arrival, deviceId })),
    )
    for (let n = 0; queues.some(({ length }) => length > n); n++)
      await send(queues.flatMap((queue) => queue.slice(n, n + 1)))
  }

  return {
    database,
    playAll,
    play: (deviceId: string, arrivals: readonly Arrival[]) => playAll({ [deviceId]: arrivals }),
    /**
     * After how many seconds the device counts as silent, and how many of its series were silent when it was last seen.
     */
    async rhythm(deviceId: string) {
      const { rows } = await database.query(
        `select silent_after::int as "silentAfter", silent_series as "silentSeries" from devices where device_id = $1`,
        [deviceId],
      )
      return rows[0] as { silentAfter: number | null; silentSeries: number }
    },
  }
}

const every = (seconds: number, count: number, rest: Partial<Arrival> = {}): Arrival[] =>
  Array.from({ length: count }, (_, n) => ({ at: n * seconds, ...rest }))

interface Cycles {
  readonly count: number
  /** Seconds between readings, of a period with readings, of a pause, and of the last period with readings. */
  readonly step?: number
  readonly on?: number
  readonly off?: number
  readonly last?: number
}

const cycles = ({ count, step = 20, on = 15 * MINUTE, off = HOUR, last = on }: Cycles): Arrival[] =>
  Array.from({ length: count + 1 }, (_, n) =>
    every(step, (n < count ? on : last) / step).map(({ at }) => ({ at: at + n * (on + off - step) })),
  ).flat()

/** The arrivals of a device, and after how many seconds it counts as silent; null for never. */
const CASES: Readonly<Record<string, readonly [readonly Arrival[], number | null]>> = {
  'a reading every 20 s': [every(20, 12), MINUTE],
  'a reading every second counts an arrival every 20 s': [every(1, 130), MINUTE],
  'a reading every hour': [every(HOUR, 6), 3 * HOUR],
  'sixty samples once an hour, one message each': [
    [0, 1, 2, 3, 4, 5].flatMap((n) =>
      every(0.2, 60).map(({ at }) => ({ at: n * HOUR + at, age: HOUR - 60 * at })),
    ),
    3 * HOUR,
  ],
  'sixty samples once an hour that take a minute to send': [
    [0, 1, 2, 3, 4].flatMap((n) => every(1, 60).map(({ at }) => ({ at: n * HOUR + at }))),
    null,
  ],
  'an hourly reading and three lines of log': [
    [...every(HOUR, 6), ...[30, 31, 33].map((at) => ({ at, type: 'log' }))],
    3 * HOUR,
  ],
  'a door': [
    [0, 30, 7_200, 7_230, 9_000, 9_300, 30_000, 30_090, 60_000, 61_000, 61_020].map((at) => ({
      at,
      type: 'door',
    })),
    null,
  ],
  'the first event of a new device': [[{ at: 0 }], null],
  'three messages of a first try': [[{ at: 0 }, { at: 40 }, { at: 90 }], null],
  'the first hour of a reading every twenty minutes': [every(20 * MINUTE, 3), null],
  'one outage of a day': [[...every(20, 12), ...every(20, 12).map(({ at }) => ({ at: at + DAY }))], MINUTE],
  'fifteen minutes on and an hour off, twice': [cycles({ count: 2 }), MINUTE],
  'fifteen minutes on and an hour off, three times': [cycles({ count: 3 }), 1.5 * HOUR],
  'fifteen minutes on and an hour off, five times': [cycles({ count: 5 }), 1.5 * HOUR],
  'half an hour on and an hour off, and then on for thirty hours': [
    cycles({ count: 3, step: 300, on: HOUR / 2, last: 30 * HOUR }),
    15 * MINUTE,
  ],
  'three outages of an hour, a day apart': [cycles({ count: 3, step: 600, on: DAY }), HOUR / 2],
  'a backlog of a day, sent within a minute': [
    [...every(20, 12), ...every(0.1, 300, { age: 40_000 }).map((each) => ({ ...each, at: each.at + 240 }))],
    MINUTE,
  ],
}

for (const work of ['write', 'defer'] as const)
  test(`a device is silent by the rhythm of its arrivals: ${work}`, async (t) => {
    const { playAll, rhythm } = await start(t, work)
    // A device is judged by the state before its newest event.
    const withLast = Object.entries(CASES).map(([name, [arrivals]]) => [
      name,
      [...arrivals, { at: Math.max(...arrivals.map(({ at }) => at)) + 1, type: 'last' }],
    ])
    await playAll(Object.fromEntries(withLast))
    for (const [name, [, silentAfter]] of Object.entries(CASES))
      assert.equal((await rhythm(name)).silentAfter, silentAfter, name)
  })

test('a dead sensor on a live board is a silent series, not a silent device', async (t) => {
  const { database, play, rhythm } = await start(t, 'write')
  await play('board', [...every(60, 40), ...every(60, 12, { type: 'humidity' })])
  assert.deepEqual(await rhythm('board'), { silentAfter: 3 * MINUTE, silentSeries: 1 })
  const { rows } = await database.query(
    'select event_type as type, is_silent from silence where device_id = $1 order by quiet_seconds',
    ['board'],
  )
  assert.deepEqual(rows, [
    { type: null, is_silent: true },
    { type: 'temp', is_silent: false },
    { type: 'humidity', is_silent: true },
  ])
  await play('board', [{ at: 40 * 60, type: 'humidity' }, { at: 40 * 60 + 20 }])
  assert.equal((await rhythm('board')).silentSeries, 0, 'it is back')
  await play('board', [{ at: 9 * DAY }])
  assert.equal((await rhythm('board')).silentSeries, 0, 'after a week it no longer counts')
})

test('a manual setting takes precedence over the rhythm', async (t) => {
  const { database, play } = await start(t, 'write')
  const lately = (Date.now() - START) / 1000
  await play(
    'd',
    every(20, 12).map(({ at }) => ({ at: at + lately - 40 * MINUTE })),
  )
  const status = async (set: string | null) => {
    await database.query('update devices set silent_after_set = $1', [set])
    const { rows } = await database.query(
      'select device_status(last_seen, coalesce(silent_after_set, silent_after)) as status, (select is_silent from silence where event_type is null) as silent from devices',
    )
    return rows[0]
  }
  assert.deepEqual(await status(null), { status: 'silent', silent: true })
  assert.deepEqual(await status('7200'), { status: 'online', silent: false })
  assert.deepEqual(await status('Infinity'), { status: 'quiet', silent: false })
  await assert.rejects(status('0'), /check constraint/)
})

test('a server whose clock was ahead continues to count arrivals after it is corrected', async (t) => {
  const { play, rhythm } = await start(t, 'write')
  await play('d', [{ at: 365 * DAY }])
  await play('d', every(20, 12))
  assert.equal((await rhythm('d')).silentAfter, MINUTE)
})

test('a recount derives the rhythm from the newest events', async (t) => {
  const { database, play, rhythm } = await start(t, 'write')
  await play('hourly', every(HOUR, 8))
  const read = async () =>
    (await database.query('select arrived_at::text, gaps, silent_after from series')).rows as unknown
  const kept = await read()
  await database.query('select recount_series()')
  assert.deepEqual(await read(), kept)
  assert.equal((await rhythm('hourly')).silentAfter, 3 * HOUR)
})

for (const work of ['write', 'defer'] as const)
  test(`a series older than the rhythm feature learns it from four arrivals: ${work}`, async (t) => {
    const { database, play, rhythm } = await start(t, work)
    await play('old', [{ at: 0 }])
    await database.query(`update series set arrived_at = null, gaps = '{}', silent_after = null`)
    const [first, ...later] = every(HOUR, 5).slice(1)
    await play('old', [first as Arrival, ...later.slice(0, 2)])
    assert.equal((await rhythm('old')).silentAfter, null)
    // A device is judged by the state before its newest event.
    await play('old', [...later.slice(2), { at: 4 * HOUR + 1, type: 'last' }])
    assert.equal((await rhythm('old')).silentAfter, 3 * HOUR)
  })

test('a replay with an old time does not affect the rhythm', async (t) => {
  const { database, play, rhythm } = await start(t, 'write')
  await play('d', every(5 * MINUTE, 12))
  await play('d', every(5 * MINUTE, 2, { type: 'dead' }))
  await play('d', [{ at: 3 * HOUR, type: 'dead' }])
  const read = async () =>
    (await database.query("select arrived_at::text, gaps from series where event_type = 'temp'")).rows
  const before = await read()
  await play('d', [{ at: -9 * DAY }, { at: -8 * DAY }])
  assert.deepEqual(await read(), before)
  assert.equal((await rhythm('d')).silentAfter, 15 * MINUTE)
})

/** Minutes before now at which events were stored, and the resulting minutes of stopped ingest. */
const STOPS: Readonly<Record<string, readonly [readonly number[], number]>> = {
  'nothing was ever stored': [[], 0],
  'a minute ago': [[1], 0],
  'a quarter of an hour is not a stop': [[40, 25, 10, 1], 0],
  'an hour ago': [[62, 61], 60],
  'an hour, then running again': [[120, 119, 58, 57, 45, 30, 15, 1], 60],
  'stops add up': [[300, 239, 178, 177, 165, 150, 135, 120, 105, 90, 75, 60, 45, 30, 15], 120],
  'nine days ago': [[9 * 24 * 60], 0],
}

test('a stop of ingest is a pause of more than a quarter of an hour', async (t) => {
  const { database } = await start(t, 'write')
  for (const [name, [minutes, stopped]] of Object.entries(STOPS)) {
    await database.query('begin')
    await database.query(
      `insert into ingest_stats select date_trunc('minute', now()) - ago * interval '1 minute', 'w', 1, 1, 1, 0, 0 from unnest($1::int[]) as ago`,
      [minutes],
    )
    const note = () => database.query('select note_ingest_stops()')
    await note()
    const { rows } = await database.query(
      `select round(stopped_seconds(now() - interval '8 days', now()) / 60) as minutes from (select 1) x`,
    )
    assert.ok(Math.abs(Number(rows[0].minutes) - stopped) <= 2, `${name}: ${rows[0].minutes}`)
    await note()
    const { rows: again } = await database.query(
      `select round(stopped_seconds(now() - interval '8 days', now()) / 60) as minutes`,
    )
    assert.deepEqual(again, rows, 'recording again changes nothing')
    await database.query('rollback')
  }
})

test('a fleet that reports hourly has pauses, but no stops', async (t) => {
  const { database } = await start(t, 'write')
  await database.query(`
    insert into devices (device_id, first_seen, last_seen, silent_after) values ('d', now() - interval '9 days', now(), 10800);
    insert into ingest_stats
    select date_trunc('minute', now()) - n * interval '1 hour', 'w', 1, 1, 1, 0, 0 from generate_series(1, 50) as n;
    select note_ingest_stops()`)
  assert.equal((await database.query('select from ingest_stops')).rowCount, 0)
})
