import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { Client } from 'pg'
import { withGaps } from '../source/sql.ts'
import { type Choice, expand } from './support/expand.ts'
import { queriesOf, readDashboards } from './support/queries.ts'
import { connectReader } from './support/reader.ts'

/** The last day, when the test asks for it: its file may have been loaded minutes before. */
const lastDay = () => ({
  from: new Date(Date.now() - 86_400_000),
  to: new Date(Date.now() + 60_000),
  intervalMs: 600_000,
})

/** Fills a database, and returns a function that gives the first row of a panel's query. */
async function start(t: TestContext, fill: string) {
  const url = await migratedDatabase(t)
  const owner = new Client({ connectionString: url })
  await owner.connect()
  await owner.query(fill)
  await owner.query('select recount_series()')
  await owner.query(
    `insert into devices (device_id, first_seen, last_seen) select device_id, min(ts_server), max(ts_server) from events group by 1`,
  )
  await owner.end()
  const ask = await connectReader(t, url)
  return async (panel: string, variables: Choice['variables'] = {}) => {
    const query = readDashboards()
      .flatMap(queriesOf)
      .find(({ name }) => name === panel)
    assert.ok(query)
    return (await ask(expand(query.sql, { ...lastDay(), variables }))).rows[0] as Record<string, number>
  }
}

/** One event per minute over twelve hours, with a clock offset in seconds by an SQL expression. */
function everyMinute(offset: string): string {
  return `
    insert into events (event_id, device_id, event_type, value_num, ts, ts_device, ts_server, schema)
    select 'd-' || n, 'd', 'temp', n, at + offset_, at + offset_, at, 1
    from (
      select n, now() - (720 - n) * interval '1 minute' as at, (${offset}) * interval '1 second' as offset_
      from generate_series(0, 719) as n
    ) as sent`
}

test('a clock that runs 100 ppm fast shows 100 ppm, even if NTP sets it in between', async (t) => {
  const first = await start(t, everyMinute('n * 60 * 0.0001 - case when n > 500 then 30 else 0 end'))
  const row = await first('Clock drift: Drift', { device: ['d'] })
  assert.ok(Math.abs((row.Drift ?? 0) - 100) < 1, `${row.Drift} ppm`)
  assert.ok(Math.abs((row['A day'] ?? 0) - 8.64) < 0.1)
  assert.ok((row.Fit ?? 0) > 0.99)
  // The longest stretch is the one before NTP: 500 minutes, after which the clock was three seconds ahead.
  assert.ok(Math.abs((row.Offset ?? 0) - 3) < 0.2, `${row.Offset} s`)
  assert.ok(Math.abs((row.Over ?? 0) - 500 * 60) <= 1_200, `${row.Over} s`)
})

test('a backlog is a delay and not a fault of the clock', async (t) => {
  const first = await start(t, everyMinute('case when n % 10 < 3 then -200 else -1 end'))
  const row = await first('Clock drift: Drift', { device: ['d'] })
  assert.ok(Math.abs(row.Drift ?? 1) < 0.01 && Math.abs((row.Offset ?? 0) + 1) < 0.01)
  const delay = await first('Data quality: Delay from device to server')
  assert.deepEqual([delay['Half within'], delay['95 % within'], delay.Longest], [1, 200, 200])
  const late = await first('Data quality: Late arrivals')
  assert.ok(Math.abs((late['Share of events'] ?? 0) - 0.7) < 0.001)
})

test('the longest silence is shown with the usual interval, and an ongoing one counts too', async (t) => {
  const hole = await start(t, `${everyMinute('0')} where n not between 300 and 398`)
  const row = await hole('Data quality: Gaps: longest silence of each sensor')
  assert.deepEqual([row['Longest silence'], row['Usual interval'], row['Times the usual']], [6_000, 60, 100])
  const silent = await start(t, `${everyMinute('0')} where n < 600`)
  const lasting = await silent('Data quality: Gaps: longest silence of each sensor')
  assert.ok(Math.abs((lasting['Longest silence'] ?? 0) - 7_260) < 30, `${lasting['Longest silence']} s`)
})

test('an outage is a gap, but a change of interval is not', async (t) => {
  const url = await migratedDatabase(t)
  const ask = await connectReader(t, url)
  const points = (minutes: readonly number[]) => `
  select '2026-01-01'::timestamptz + minute * interval '1 minute' as time, 1::float8 as "v"
  from unnest(array[${minutes.join(',')}]::float8[]) as minute`
  const gapsOf = async (minutes: readonly number[]) => {
    const { rows } = await ask(`with ${withGaps(points(minutes), ['v'])}`)
    assert.equal(rows.filter(({ v }) => v !== null).length, minutes.length, 'every point is there')
    return rows.filter(({ v }) => v === null).length
  }
  const steps = (count: number, step: number, from = 0) =>
    Array.from({ length: count }, (_, n) => from + n * step)
  assert.equal(await gapsOf(steps(60, 1)), 0)
  assert.equal(await gapsOf([...steps(60, 1), ...steps(60, 1, 90)]), 1, 'half an hour without an event')
  assert.equal(
    await gapsOf([...steps(15, 20), ...steps(100, 0.25, 301)]),
    0,
    'every 20 minutes, then every 15 seconds',
  )
  assert.equal(await gapsOf([0, 3, 5, 11, 14, 22, 24]), 0, 'on change')
  assert.deepEqual([await gapsOf([]), await gapsOf([1]), await gapsOf([1, 500])], [0, 0, 0])
})

test('a batch is neither a gap nor a wrong clock, and a small table needs no vacuum', async (t) => {
  const first = await start(
    t,
    `insert into events (event_id, device_id, event_type, value_num, ts, ts_device, ts_server, schema)
     select 'b-' || hour || '-' || n, 'b', 'temp', n, at - n * interval '3 minutes', at - n * interval '3 minutes', at, 1
     from generate_series(1, 20) as hour, generate_series(0, 19) as n,
       lateral (select now() - hour * interval '1 hour' + interval '50 minutes' as at) as sent`,
  )
  assert.equal(await first('Clock drift: Suspicious clocks', { device: '*' }), undefined)
  const gap = await first('Data quality: Gaps: longest silence of each sensor')
  assert.ok((gap['Times the usual'] ?? 9) < 1, `${gap['Times the usual']} times`)
  const table = await first('Pipeline health: Tables')
  assert.ok((table['To vacuum'] ?? 0) < 5)
})
