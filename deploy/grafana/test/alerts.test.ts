import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { Client } from 'pg'
import { readAlertRules } from './support/queries.ts'
import { type Answer, connectReader } from './support/reader.ts'

/** Environment variables of Grafana; one that is not set is an empty text. */
type Settings = Readonly<Record<string, string>>

interface Database {
  readonly fill: (sql: string, values?: unknown[]) => Promise<unknown>
  /** Labels of the firing instances of a rule, as Grafana would find them. */
  readonly firing: (uid: string, settings?: Settings) => Promise<readonly string[]>
}

async function start(t: TestContext): Promise<Database> {
  const url = await migratedDatabase(t)
  const owner = new Client({ connectionString: url })
  await owner.connect()
  t.after(() => owner.end())
  const ask = await connectReader(t, url)
  return {
    fill: (sql, values) => owner.query(sql, values),
    firing: (uid, settings = {}) => firing(uid, (sql) => ask(withSettings(sql, settings))),
  }
}

function withSettings(sql: string, settings: Settings): string {
  return sql.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => settings[name] ?? '')
}

/** The three steps of a rule: the query, the last value of each series, the comparison. */
async function firing(uid: string, ask: (sql: string) => Promise<Answer>): Promise<readonly string[]> {
  const rule = [...readAlertRules(), ...readAlertRules('templates/threshold.yaml')].find(
    (each) => each.uid === uid,
  )
  assert.ok(rule)
  const [query, reduce, threshold] = rule.data.map(({ model }) => model)
  assert.deepEqual([query?.format, reduce?.type, reduce?.reducer], ['time_series', 'reduce', 'last'])
  assert.deepEqual([reduce?.expression, threshold?.expression, rule.condition], ['A', 'B', 'C'])
  assert.deepEqual([threshold?.type, threshold?.conditions?.[0]?.evaluator.type], ['threshold', 'gt'])
  const above = threshold?.conditions?.[0]?.evaluator.params[0]
  assert.ok(above !== undefined && query?.rawSql !== undefined)
  const { rows } = await ask(query.rawSql)
  return rows.flatMap(({ time, ...columns }) => {
    assert.ok(time instanceof Date)
    const numbers = Object.values(columns).filter((value) => typeof value === 'number')
    assert.equal(numbers.length, 1, 'one number per row')
    const labels = Object.values(columns).filter((value) => typeof value === 'string')
    return (numbers[0] ?? 0) > above ? [labels.join(' ')] : []
  })
}

interface Arrivals {
  readonly id: string
  readonly type?: string
  /** Seconds before now of each arrival. */
  readonly ago: readonly number[]
  /** Samples, a minute apart, that arrive at once. */
  readonly samples?: number
}

/** Inserts events, and what the ingester keeps about their series and devices. */
async function arrive({ fill }: Database, ...fleet: readonly Arrivals[]): Promise<void> {
  for (const { id, type = 'temp', ago, samples = 1 } of fleet)
    await fill(
      `insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
       select $1 || '-' || $2 || '-' || ago || '-' || n, $1, $2, n, now() - ago * interval '1 second' - n * interval '1 minute',
         now() - ago * interval '1 second', 1
       from unnest($3::float8[]) as ago, generate_series(0, $4::int - 1) as n`,
      [id, type, ago, samples],
    )
  await fill('select recount_series()')
  await fill(`
    insert into devices (device_id, first_seen, last_seen)
    select device_id, min(ts_server), max(ts_server) from events group by 1
    on conflict (device_id) do update set last_seen = excluded.last_seen`)
  await fill(`
    update devices d set (silent_after, silent_series) = (
      select r.silent_after, r.silent_series from rhythm_of(d.device_id, d.last_seen) r)`)
}

const HOUR = 3_600
/** Arrivals at an interval in seconds, the last one `lastAgo` seconds ago. */
const every = (seconds: number, lastAgo: number, count = 40) =>
  Array.from({ length: count }, (_, n) => lastAgo + n * seconds)

/** A device that reports all the time, so that ingest runs. */
const ALIVE: Arrivals = { id: 'alive', ago: every(10, 5) }

test('a silent device fires by its rhythm, and one that is gone for a week does not', async (t) => {
  const database = await start(t)
  assert.deepEqual(await database.firing('qs-silent-device'), [], 'no device at all')
  await arrive(database, ALIVE, { id: 'hourly', ago: every(HOUR, 2 * HOUR) })
  assert.deepEqual(await database.firing('qs-silent-device'), [])
  await arrive(
    database,
    { id: 'quiet', ago: every(10, 20 * 60) },
    { id: 'hourly-too', ago: every(HOUR, 4 * HOUR) },
    { id: 'gone', ago: every(10, 8 * 24 * HOUR) },
  )
  assert.deepEqual(await database.firing('qs-silent-device'), ['hourly-too', 'quiet'])
  assert.deepEqual(
    await database.firing('qs-silent-device', { ALERT_GONE_DAYS: '9' }),
    ['gone', 'hourly-too', 'quiet'],
    'a week is a setting',
  )
  await database.fill(`update devices set silent_after_set = 'infinity' where device_id = 'quiet'`)
  await database.fill(`update devices set silent_after_set = 3600 where device_id = 'hourly'`)
  assert.deepEqual(
    await database.firing('qs-silent-device'),
    ['hourly', 'hourly-too'],
    'a value set by a user takes precedence',
  )
})

const NOT_SILENT: Readonly<Record<string, readonly Arrivals[]>> = {
  'an hour of samples in one message': [{ id: 'batch', ago: every(HOUR, 50 * 60), samples: 60 }],
  'an hourly reading and three lines of log': [
    { id: 'logging', ago: every(HOUR, 50 * 60) },
    { id: 'logging', type: 'log', ago: [50 * 60 + 3, 50 * 60 + 2, 50 * 60 + 1] },
  ],
  'a door that is used now and then': [
    { id: 'door', ago: [HOUR, 1.1 * HOUR, 5 * HOUR, 5.01 * HOUR, 20 * HOUR] },
  ],
  'the first hour of a board': [{ id: 'young', ago: [30 * 60, 45 * 60] }],
  'the first event of the manual: a single qs publish': [{ id: 'kitchen', ago: [2 * HOUR] }],
  'the same, sent four times by an impatient person': [{ id: 'kitchen', ago: every(5, 2 * HOUR, 4) }],
}

for (const [what, fleet] of Object.entries(NOT_SILENT))
  test(`no silence: ${what}`, async (t) => {
    const database = await start(t)
    await arrive(database, ALIVE, ...fleet)
    assert.deepEqual(await database.firing('qs-silent-device'), [])
    assert.deepEqual(await database.firing('qs-silent-sensor'), [])
  })

test('a sensor that stops on a live device fires alone, and for a week', async (t) => {
  const database = await start(t)
  await arrive(database, ALIVE, { id: 'alive', type: 'humidity', ago: every(10, HOUR) })
  assert.deepEqual(await database.firing('qs-silent-sensor'), ['alive humidity'])
  assert.deepEqual(await database.firing('qs-silent-device'), [])
  await arrive(database, { id: 'alive', type: 'renamed', ago: every(10, 8 * 24 * HOUR) })
  assert.deepEqual(await database.firing('qs-silent-sensor'), ['alive humidity'])
})

const minuteOf = (ago: string) =>
  `insert into ingest_stats values (date_trunc('minute', now() - interval '${ago}'), 'w', 1, 1, 1, 0, 0)`
/** Each minute of a time in which ingest ran. */
const minutesBetween = (from: string, until: string) => `
  insert into ingest_stats
  select date_trunc('minute', at), 'w', 1, 1, 1, 0, 0
  from generate_series(now() - interval '${from}', now() - interval '${until}', '1 minute') as at`

test('when ingest stops, one alert fires and not one for each device', async (t) => {
  const database = await start(t)
  const fleet = Array.from({ length: 50 }, (_, n) => ({
    id: `board-${n}`,
    ago: every(10, 20 * 60 + (n % 10)),
  }))
  await arrive(database, ...fleet, { id: 'board-0', type: 'humidity', ago: every(10, 20 * 60) })
  await database.fill(minuteOf('20 minutes'))
  assert.deepEqual(await database.firing('qs-silent-device'), [])
  assert.deepEqual(await database.firing('qs-silent-sensor'), [])
  assert.deepEqual(await database.firing('qs-nothing-ingested'), [''])
})

test('after a stop of ingest, a device is late only by the time in which ingest ran', async (t) => {
  const database = await start(t)
  const beforeAndAfter = [...every(10, 5, 30), ...every(10, 4 * HOUR + 300, 40)]
  await arrive(
    database,
    { id: 'first', ago: beforeAndAfter },
    { id: 'hourly', ago: every(HOUR, 4.5 * HOUR) },
    { id: 'hourly-dead', ago: every(HOUR, 9 * HOUR) },
    { id: 'often-dead', ago: every(10, 4 * HOUR + 300) },
  )
  await database.fill(minutesBetween('2 days', '4 hours 5 minutes'))
  await database.fill(minutesBetween('5 minutes', '0 minutes'))
  const withoutStop = ['hourly', 'hourly-dead', 'often-dead']
  assert.deepEqual(await database.firing('qs-silent-device'), withoutStop, 'the stop is not noted yet')
  await database.fill('select note_ingest_stops()')
  assert.deepEqual(await database.firing('qs-silent-device'), ['hourly-dead', 'often-dead'])
})

test('pauses of an hourly fleet are not stops of ingest', async (t) => {
  const database = await start(t)
  await arrive(
    database,
    { id: 'hourly', ago: every(HOUR, 60) },
    { id: 'hourly-dead', ago: every(HOUR, 5 * HOUR + 60) },
    { id: 'often-and-long-dead', ago: every(10, 2 * 24 * HOUR) },
  )
  for (let hour = 0; hour < 24; hour++) await database.fill(minuteOf(`${hour} hours 60 seconds`))
  await database.fill('select note_ingest_stops()')
  assert.deepEqual(await database.firing('qs-silent-device'), ['hourly-dead', 'often-and-long-dead'])
})

test('after a power cut of a board, its slow sensor is late only by the time in which the board ran', async (t) => {
  const database = await start(t)
  const cutOfFourHours = [...every(10, 5, 30), ...every(10, 4 * HOUR + 300, 400)]
  await arrive(
    database,
    { id: 'board', ago: cutOfFourHours },
    { id: 'board', type: 'hourly', ago: every(HOUR, 4.5 * HOUR) },
    { id: 'board', type: 'dead-before', ago: every(600, 4.9 * HOUR) },
    { id: 'board', type: 'humidity', ago: every(10, 4 * HOUR + 300) },
  )
  assert.deepEqual(await database.firing('qs-silent-sensor'), ['board dead-before', 'board humidity'])
})

test('messages whose events are all refused do not count as ingested', async (t) => {
  const database = await start(t)
  await arrive(database, { id: 'often', ago: every(60, 2 * HOUR) })
  await database.fill(minuteOf('2 hours'))
  await database.fill(`
    insert into ingest_stats
    select date_trunc('minute', now()) - n * interval '1 minute', 'w', 1, 1, 0, 0, 1 from generate_series(0, 60) as n`)
  assert.deepEqual(await database.firing('qs-nothing-ingested'), [''])
})

test('nothing ingested waits a quarter of an hour, or as long as the most frequent device may be quiet', async (t) => {
  const database = await start(t)
  const fires = (settings = {}) => database.firing('qs-nothing-ingested', settings)
  assert.deepEqual(await fires(), [], 'a new database')
  await arrive(database, { id: 'hourly', ago: every(HOUR, 2 * HOUR) })
  await database.fill(minuteOf('2 hours'))
  assert.deepEqual(await fires(), [], 'an hourly fleet may be quiet for three hours')
  await arrive(database, { id: 'often', ago: every(60, 2 * HOUR) })
  assert.deepEqual(await fires(), [''])
  assert.deepEqual(await fires({ ALERT_IDLE_MINUTES: '180' }), [], 'a setting')
  await database.fill(minuteOf('5 minutes'))
  assert.deepEqual(await fires(), [])
})

test('the first event of the manual leaves no alert behind', async (t) => {
  const database = await start(t)
  await arrive(database, { id: 'kitchen', ago: [2 * HOUR] })
  await database.fill(minuteOf('2 hours'))
  for (const { uid } of readAlertRules()) assert.deepEqual(await database.firing(uid), [], uid)
})

function deadLetters(count: number, ago: string, code = 'INVALID_JSON'): string {
  return `
    insert into dead_letters (received_at, topic, code, error, trace, payload, fingerprint)
    select now() - interval '${ago}' - n * interval '1 second', 't', '${code}', 'e', 't', '', md5(n::text)::uuid
    from generate_series(1, ${count}) as n`
}

test('dead letters fire when a code rises, and old ones do not mute new ones', async (t) => {
  const { fill, firing } = await start(t)
  const fires = (settings = {}) => firing('qs-dead-letters-rising', settings)
  assert.deepEqual(await fires(), [], 'none at all')
  await fill(deadLetters(1_000, '3 hours'))
  await fill(deadLetters(5, '1 minute'))
  assert.deepEqual(await fires(), [], 'few')
  await fill(deadLetters(1, '1 minute'))
  assert.deepEqual(await fires(), ['INVALID_JSON'], 'a burst three hours ago is not what is usual')
  assert.deepEqual(await fires({ ALERT_DEAD_LETTERS: '6' }), [], 'a setting')
  for (let quarter = 1; quarter < 96; quarter++)
    await fill(deadLetters(6, `${quarter * 15} minutes 60 seconds`))
  assert.deepEqual(await fires(), ['INVALID_JSON'], 'a flood of a day when nothing else is received')
  await fill(`insert into ingest_stats values (date_trunc('minute', now()), 'w', 1000, 1000, 994, 0, 6)`)
  assert.deepEqual(await fires(), [], 'six in each quarter of an hour are usual, and few of all events')
  await fill(deadLetters(6, '1 minute', 'MISSING_FIELD'))
  assert.deepEqual(await fires(), ['MISSING_FIELD'], 'another code is news')
  await fill(`insert into dead_letters_counted values (date_trunc('minute', now()), 'd', 'FLOOD', 500, 500)`)
  assert.deepEqual(await fires(), ['FLOOD', 'MISSING_FIELD'], 'only counted letters count too')
})

test('the template of a threshold fires beyond its limit, while the value is fresh', async (t) => {
  const database = await start(t)
  const fires = () => database.firing('freezer-warm')
  await arrive(database, { id: 'freezer', ago: [5] })
  assert.deepEqual(await fires(), ['freezer'], '0 is above −15')
  await database.fill('update series set value_num = -18')
  assert.deepEqual(await fires(), [])
  await database.fill(`update series set value_num = 0, last_seen = now() - interval '2 hours'`)
  assert.deepEqual(await fires(), [], 'an old value')
})

test('a restart of the database raises no alarm, but a database that stays down does', () => {
  const onError = readAlertRules().map(({ uid, execErrState, for: holds }) => [uid, execErrState, holds])
  assert.deepEqual(onError, [
    ['qs-silent-device', 'KeepLast', '1m'],
    ['qs-silent-sensor', 'KeepLast', '1m'],
    ['qs-dead-letters-rising', 'KeepLast', '0s'],
    ['qs-nothing-ingested', 'Alerting', '5m'],
  ])
})
