import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { startQs } from '@qs-telemetry/testing/qs.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'

async function start(t: TestContext) {
  const url = await migratedDatabase(t)
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  const directory = mkdtempSync(join(tmpdir(), 'qs-import-'))
  t.after(async () => {
    await database.end()
    rmSync(directory, { recursive: true })
  })
  const env = { DATABASE_URL: url, DEVICE_TIMEZONE: 'Europe/Berlin' }
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(directory, name), content)
    return join(directory, name)
  }
  const run = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runCommand(['import', ...args, '--json'], env)
    const { lines, stored, duplicate, bad } = JSON.parse(stdout || '{}')
    return { code, stderr, counts: [lines, stored, duplicate, bad] }
  }
  const rows = async (sql: string) => (await database.query<Record<string, unknown>>(sql)).rows
  return { url, database, directory, env, file, run, rows }
}

const EVENTS = `
select device_id, event_type, value_num, value_text, value_exact, unit, meta,
  to_char(ts at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as at
from event_history order by ts, device_id, event_type, value_num`

test('JSON lines become events with their times, and a second run stores nothing', async (t) => {
  const { file, run, rows } = await start(t)
  const old = '2019-03-31T01:30:00.123456Z'
  const lines = [
    { device_id: 'kitchen', event_type: 'temp', value: 21.5, unit: '°C', time: old },
    // Hostile names, an empty value, digits that no double has, a field that is unknown.
    {
      device_id: `d'"\\x`,
      event_type: '__proto__',
      time: 1_764_430_000.5,
      rssi: -70,
      meta: { __proto__x: 1 },
    },
    // Naive: by DEVICE_TIMEZONE, Europe/Berlin.
    { device_id: 'kitchen', event_type: 'temp', value: 20, time: '2020-07-01T12:00:00.000001' },
    { device_id: 'kitchen', event_type: 'temp', value: 19, time: '2020-07-01 12:00:00.000001' },
  ].map((line) => JSON.stringify(line))
  lines.push(
    lines[0] as string,
    '{"device_id":"k","event_type":"n","value":12345678901234567890.5,"time":1500000000}',
  )
  const path = file('a.jsonl', `${lines.join('\n')}\n`)
  assert.deepEqual(await run(path), { code: 0, stderr: '', counts: [6, 5, 1, 0] })
  assert.deepEqual(await rows(EVENTS), [
    event('k', 'n', '2017-07-14 02:40:00.000000', {
      value_num: 12345678901234567000,
      value_exact: '12345678901234567890.5',
    }),
    event('kitchen', 'temp', '2019-03-31 01:30:00.123456', { value_num: 21.5, unit: '°C' }),
    event('kitchen', 'temp', '2020-07-01 10:00:00.000001', { value_num: 19 }),
    event('kitchen', 'temp', '2020-07-01 10:00:00.000001', { value_num: 20 }),
    event(`d'"\\x`, '__proto__', '2025-11-29 15:26:40.500000', {
      meta: { __proto__x: 1, _extra: { rssi: -70 } },
    }),
  ])
  await rows(`update retention set keep_events = '400 days'`)
  assert.deepEqual(await run(path), { code: 0, stderr: '', counts: [6, 0, 6, 0] })
  assert.deepEqual(
    (await run(path, '--timezone', 'UTC')).counts,
    [6, 0, 6, 0],
    'as written, whatever the zone',
  )

  // They were seen when they were measured, and are no arrivals.
  assert.deepEqual(
    await rows(`
      select s.events::int, s.first_seen = s.first_ts as first, s.last_seen = s.ts as last, s.arrived_at, d.clock,
        d.last_seen = s.ts as device_last, d.silent_after
      from series s join devices d using (device_id) where device_id = 'kitchen'`),
    [
      {
        events: 3,
        first: true,
        last: true,
        arrived_at: null,
        clock: 'good',
        device_last: true,
        silent_after: null,
      },
    ],
  )
  const nowhere = await runCommand(['import', path], { DATABASE_URL: 'postgresql://qs@127.0.0.1:1/qs' })
  assert.match(nowhere.stderr, /No connection to PostgreSQL at 127\.0\.0\.1:1/)

  const late = file('b.jsonl', '{"device_id":"k","event_type":"n","time":1500000001}')
  assert.match((await run(late)).stderr, /KEEP_EVENTS is 400 days, and the oldest event is of 2017-07-14/)
  // The job for the numbers by the hour knows of them.
  assert.ok((await rows('select from event_hours_backlog')).length > 0)
})

function event(device_id: string, event_type: string, at: string, more: Record<string, unknown> = {}) {
  const empty = { value_num: null, value_text: null, value_exact: null, unit: null, meta: null }
  return { ...empty, device_id, event_type, at, ...more }
}

test('bad lines are named and kept, and can be corrected and imported', async (t) => {
  const { directory, file, run, rows } = await start(t)
  const good = (n: number) =>
    `{"device_id":"d","event_type":"t","value":${n},"time":"2020-01-01T00:00:0${n}Z"}`
  const bad = [
    'not json',
    '[1]',
    '{"event_type":"t","time":1}',
    '{"device_id":"d","time":1}',
    '{"device_id":"d","event_type":"t"}',
    '{"device_id":"d","event_type":"t","time":"yesterday"}',
    '{"device_id":"d","event_type":"t","time":"2099-01-01"}',
    '{"device_id":"d","event_type":"t","time":"2099-01-01T00:00:00Z"}',
    '{"device_id":"a/b","event_type":"t","time":1}',
    '{"device_id":"d","event_type":"t","time":1,"value":{}}',
    '{"device_id":"d","event_type":"t","time":1,"event_id":"x","value":2}',
  ]
  const path = file(
    'a.jsonl',
    Buffer.concat([
      Buffer.from(
        `${good(1)}\n{"device_id":"d","event_type":"t","time":1,"event_id":"x","value":1}\n${bad.join('\n')}\n`,
      ),
      Buffer.from([0x22, 0xff, 0x22, 0x0a]),
      Buffer.from(good(2)),
    ]),
  )
  const rejects = join(directory, 'bad.jsonl')
  const { code, stderr, counts } = await run(path, '--rejects', rejects)
  assert.deepEqual([code, counts], [1, [15, 3, 0, 12]])
  assert.match(stderr, /bad .*a\.jsonl:3: NOT_JSON: /)
  assert.match(stderr, /12 lines of .* are not stored \(NOT_JSON 1, .*; they are in .*bad\.jsonl/)
  assert.deepEqual(
    readFileSync(rejects),
    Buffer.concat([Buffer.from(`${bad.join('\n')}\n`), Buffer.from([0x22, 0xff, 0x22, 0x0a])]),
  )
  assert.deepEqual(readFileSync(`${rejects}.reasons`, 'utf8').match(/^\d+: \w+/gm), [
    ...['3: NOT_JSON', '4: NOT_AN_OBJECT', '5: NO_DEVICE', '6: NO_TYPE', '7: NO_TIME', '8: TIME_UNREADABLE'],
    ...['9: TIME_UNREADABLE', '10: TIME_TO_COME', '11: INVALID_FIELD', '12: INVALID_VALUE'],
    ...['13: EVENT_ID_CONFLICT', '14: NOT_UTF8'],
  ])
  assert.deepEqual(await rows('select from dead_letters'), [], 'the file keeps them')
  const corrected = file(
    'b.jsonl',
    readFileSync(rejects, 'utf8').replace('yesterday', '2020-01-02T00:00:00Z'),
  )
  assert.deepEqual((await run(corrected)).counts, [12, 1, 0, 11])
})

test('a killed import goes on where it was, and one of a sealed range stores nothing twice', async (t) => {
  const { database, env, file, run, rows } = await start(t)
  const line = (n: number) =>
    `{"device_id":"d${n % 3}","event_type":"t","value":${n},"time":${1_600_000_000 + n},"event_id":"d-${n}"}`
  const path = file('a.jsonl', `bad\n${Array.from({ length: 15_000 }, (_, n) => line(n)).join('\n')}\n`)
  const rejects = `${path}.bad`
  // An event of the third portion is about to be stored by somebody else, so the import waits for it.
  await database.query('begin')
  await database.query(
    `insert into events (event_id, device_id, event_type, ts, ts_server, schema) values ('d-14000', 'd', 't', now(), now(), 1)`,
  )
  const child = startQs(t, ['import', path, '--rejects', rejects], { env })
  const done = () => JSON.parse(readFileSync(`${path}.qs-import`, 'utf8')).records
  await until(() => existsSync(`${path}.qs-import`) && done() === 10_001, 'two portions are stored')
  child.process.kill('SIGKILL')
  await child.exit()
  await database.query('rollback')

  const { code, counts, stderr } = await run(path, '--rejects', rejects)
  assert.deepEqual([code, counts[0], counts[3]], [1, 15_001, 1])
  assert.match(stderr, /An earlier run was stopped after 10001 lines/)
  assert.equal(readFileSync(rejects, 'utf8'), 'bad\n')
  assert.ok(!existsSync(`${path}.qs-import`))
  const summary = `select (select count(*)::int from event_history) as events, (select sum(events)::int from series) as counted,
    (select array_agg(device_id order by device_id) from devices) as devices`
  const all = { events: 15_000, counted: 15_000, devices: ['d0', 'd1', 'd2'] }
  assert.deepEqual(await rows(summary), [all])

  await database.query(`update events set ts_server = ts_server - interval '2 days'`)
  await database.query(`delete from event_hours_backlog`)
  await database.query('update event_hours_state set covered_to = now()')
  while ((await rows(`select from seal_next('30 days', 5000) where not is_end`)).length > 0);
  assert.deepEqual(await rows('select from events'), [], 'all are sealed')
  assert.deepEqual((await run(path)).counts, [15_001, 0, 15_000, 1])
  assert.deepEqual(await rows(summary), [all])
})
