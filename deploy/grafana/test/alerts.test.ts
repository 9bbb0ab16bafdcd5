import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Client } from 'pg'
import { migrate } from '../../../packages/ingester/src/database/migrate.ts'
import { freshDatabase } from '../../../packages/ingester/test/support/postgres.ts'
import { readAlertRules } from './support/queries.ts'
import { type Answer, connectReader } from './support/reader.ts'

interface Database {
  readonly fill: (sql: string) => Promise<unknown>
  /** Labels of the instances of the rule that fire, as Grafana would find them. */
  readonly firing: (uid: string) => Promise<readonly string[]>
}

async function start(t: TestContext): Promise<Database> {
  const url = await freshDatabase(t)
  await migrate(url)
  const owner = new Client({ connectionString: url })
  await owner.connect()
  t.after(() => owner.end())
  const ask = await connectReader(t, url)
  return { fill: (sql) => owner.query(sql), firing: (uid) => firing(uid, ask) }
}

/** The three steps of a rule: the query, the last value of each series, the comparison. */
async function firing(uid: string, ask: (sql: string) => Promise<Answer>): Promise<readonly string[]> {
  const rule = readAlertRules().find((each) => each.uid === uid)
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
    assert.equal(numbers.length, 1, 'one number a row')
    const labels = Object.values(columns).filter((value) => typeof value === 'string')
    return (numbers[0] ?? 0) > above ? [labels.join(' ')] : []
  })
}

/** A device that sent forty events, so many seconds apart, the last of them so long ago. */
function deviceThatSent(id: string, everySeconds: number, lastAgo: string): string {
  return `
    insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
    select '${id}-' || n, '${id}', 'temp', n, at, at, 1
    from (select n, now() - interval '${lastAgo}' - n * interval '${everySeconds} seconds' as at
          from generate_series(0, 39) as n) as sent;
    insert into devices (device_id, first_seen, last_seen)
    select device_id, min(ts_server), max(ts_server) from events where device_id = '${id}' group by 1;
    select recount_series()`
}

test('a silent device fires by its own measure, and one that is gone for good does not', async (t) => {
  const { fill, firing } = await start(t)
  assert.deepEqual(await firing('qs-silent-device'), [], 'no device at all')
  await fill(deviceThatSent('fresh', 10, '20 seconds'))
  await fill(deviceThatSent('hourly', 3600, '2 hours'))
  assert.deepEqual(await firing('qs-silent-device'), [])
  await fill(deviceThatSent('quiet', 10, '20 minutes'))
  await fill(deviceThatSent('hourly-too', 3600, '6 hours'))
  await fill(deviceThatSent('gone', 10, '8 days'))
  assert.deepEqual(await firing('qs-silent-device'), ['hourly-too', 'quiet'])
})

function deadLetters(count: number, ago: string): string {
  return `
    insert into dead_letters (received_at, topic, code, error, trace, payload, fingerprint)
    select now() - interval '${ago}' - n * interval '1 second', 't', 'INVALID_JSON', 'e', 't', '', md5(n::text)::uuid
    from generate_series(1, ${count}) as n`
}

test('dead letters fire where they rise, and not where they are few or as usual', async (t) => {
  const { fill, firing } = await start(t)
  assert.deepEqual(await firing('qs-dead-letters-rising'), [], 'none at all')
  await fill(deadLetters(5, '1 minute'))
  assert.deepEqual(await firing('qs-dead-letters-rising'), [], 'few')
  await fill(deadLetters(1, '1 minute'))
  assert.deepEqual(await firing('qs-dead-letters-rising'), [''])
  await fill(deadLetters(1_000, '3 hours'))
  assert.deepEqual(
    await firing('qs-dead-letters-rising'),
    [],
    'six are nothing new where a thousand came before',
  )
})

test('nothing ingested fires after a quarter of an hour, and not on a database that is new', async (t) => {
  const { fill, firing } = await start(t)
  assert.deepEqual(await firing('qs-nothing-ingested'), [], 'new')
  const minute = (ago: string) =>
    `insert into ingest_stats values (date_trunc('minute', now() - interval '${ago}'), 'w', 1, 1, 1, 0, 0)`
  await fill(minute('20 minutes'))
  assert.deepEqual(await firing('qs-nothing-ingested'), [''])
  await fill(minute('5 minutes'))
  assert.deepEqual(await firing('qs-nothing-ingested'), [])
})
