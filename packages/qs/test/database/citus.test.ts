import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { freshDatabase } from '@qs-telemetry/testing/postgres.ts'
import { migrate } from '../../src/database/migrate.ts'
import { QueryPool } from '../../src/database/query-pool.ts'

/*
 * Without Citus: these tests check the rules of its documentation and planner for a table distributed by event_id, and
 * that the functions for Citus give the same results as the standard ones. docs/scaling.md has the rules and sources.
 */

const FUNCTIONS = new URL('../../../../deploy/citus/functions.sql', import.meta.url)
const SOURCES = [
  new URL('../../src/', import.meta.url),
  new URL('../../../../deploy/grafana/source/', import.meta.url),
]

async function open(t: TestContext) {
  const url = await freshDatabase(t)
  await migrate(url)
  const pool = new QueryPool(url, { name: 'test', connections: 1, timeoutMs: 30_000 })
  t.after(() => pool.end())
  return pool
}

test('no property of events prevents its distribution by event_id', async (t) => {
  const pool = await open(t)
  const unique = await pool.query<{ name: string; columns: string[] }>(`
    select i.indexrelid::regclass::text as name,
      array(select attname::text from pg_attribute where attrelid = i.indrelid and attnum = any(i.indkey)) as columns
    from pg_index i where indrelid = 'events'::regclass and (indisunique or indisexclusion)`)
  assert.ok(unique.length > 0)
  for (const { name, columns } of unique) assert.ok(columns.includes('event_id'), name)
  const obstacles = await pool.query(`
    select conname::text as name from pg_constraint
    where contype = 'f' and 'events'::regclass in (conrelid, confrelid)
    union all select tgname::text from pg_trigger where tgrelid = 'events'::regclass
    union all select rulename::text from pg_rewrite where ev_class = 'events'::regclass
    union all select attname::text from pg_attribute
    where attrelid = 'events'::regclass and attnum > 0 and (attidentity <> '' or attgenerated <> '')
    union all select collname::text from pg_attribute a join pg_collation c on c.oid = attcollation
    where attrelid = 'events'::regclass and collname not in ('default', 'C')`)
  assert.deepEqual(obstacles, [])
})

/** An operator's command; docs/devices.md says that it needs plain PostgreSQL. */
const NOT_FOR_CITUS = 'packages/qs/src/devices/mend-times.ts'

test('no statement on events has a recursive CTE, a lateral subquery or a row lock, or reads a view of all of them', async () => {
  const files = (await Promise.all(SOURCES.map(typeScriptOf))).flat()
  assert.ok(files.length > 100)
  for (const file of files) {
    if (file.pathname.endsWith(NOT_FOR_CITUS)) continue
    const text = await readFile(file, 'utf8')
    assert.doesNotMatch(
      text,
      /(?:from |join |`)(?:bounded_(?:events|numbers)|event_history)\b/,
      file.pathname,
    )
    if (!/\b(?:from|join|into|update) events\b/.test(text)) continue
    assert.doesNotMatch(
      text,
      /recursive \w+ as|lateral \(\s*select[^`]*from events\b|for (?:no key )?update|for share/,
      file.pathname,
    )
    assert.doesNotMatch(text, /update events\b|set event_id/, file.pathname)
  }
})

test('PostgreSQL inlines the functions into the calling statement', async (t) => {
  const pool = await open(t)
  for (const question of QUESTIONS) {
    const name = /from (\w+)\(/.exec(question)?.[1] as string
    const plan = await pool.query<{ 'QUERY PLAN': string }>(`explain ${question}`)
    const text = plan.map((line) => line['QUERY PLAN']).join('\n')
    assert.doesNotMatch(text, new RegExp(`Function Scan on ${name}`), question)
    assert.match(text, name === 'event_series' ? /on series/ : /on events/, question)
  }
})

test('the functions for Citus replace all that read events, and give the same results', async (t) => {
  const pool = await open(t)
  await pool.query(`
    insert into events (event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_server, schema)
    select 'e' || i, 'd' || i % 3, case when i % 5 = 0 then 'door' else 'temp' end,
      case when i % 7 = 0 then null when i = 11 then 1e305 else i % 50 end, case when i % 7 = 0 then 'open' end,
      case i % 4 when 0 then '°C' when 1 then '°F' when 2 then '' end,
      at, case when i % 4 > 0 then at - i * interval '1 ms' end, at + interval '20 ms', 1
    from (select i, timestamptz '2026-11-20T10:00Z' + i / 3 * interval '3 minutes' as at from generate_series(1, 900) i) x`)
  await pool.query('select recount_series()')
  const theirs = await readFile(FUNCTIONS, 'utf8')
  const series = await pool.query('select * from series order by device_id, event_type')
  await pool.query(`begin; ${theirs}; select recount_series()`)
  assert.deepEqual(await pool.query('select * from series order by device_id, event_type'), series)
  await pool.query('rollback')
  await pool.query(SEAL)
  const ours = await answers(pool)
  const before = await readers(pool)
  await pool.query(theirs)
  const after = await readers(pool)
  assert.deepEqual(
    after.map(({ name }) => name),
    before.map(({ name }) => name),
    'each is replaced, none is added',
  )
  assert.ok(after.length > 0)
  for (const { name, language } of after) assert.equal(language, 'plpgsql', name)
  assert.deepEqual(await answers(pool), ours)
  await pool.query('select recount_series()')
  assert.deepEqual(
    await pool.query('select * from series order by device_id, event_type'),
    series,
    'of sealed ones',
  )
  const content = `select md5(string_agg(h::text, '' order by event_id)) from event_history h`
  const all = await pool.query(content)
  await pool.query(SEAL.replace('20T18', '21T00'))
  assert.deepEqual(await pool.query(content), all, 'after their own sealing')
})

async function typeScriptOf(folder: URL): Promise<readonly URL[]> {
  const names = await readdir(folder, { recursive: true })
  return names.filter((name) => name.endsWith('.ts')).map((name) => new URL(name, folder))
}

function readers(pool: QueryPool) {
  return pool.query<{ name: string; language: string }>(`
    select p.oid::regprocedure::text as name, lanname::text as language
    from pg_proc p join pg_language l on l.oid = prolang
    where pronamespace = current_schema()::regnamespace
      and prosrc ~ '\\m((sealed_|bounded_|newest_)?events|(sealed_|bounded_|event_)numbers|times_between)\\M' order by 1`)
}

/** The older half of each series, in small segments. */
const SEAL = `
  do $$ declare one record; begin
    for one in select * from event_series() loop
      while seal_series(one.device_id, one.event_type, '2026-11-20T18:00Z', 'infinity', 20, 20) > 0 loop null; end loop;
    end loop;
  end $$`

const RANGE = `'2026-11-20T12:31Z', '2026-11-21T01:17Z'`
const QUESTIONS = [
  'select * from event_series()',
  `select * from event_series('{d2,nobody,d1}')`,
  `select * from newest_events('d1', 'temp', 7)`,
  `select * from newest_events('d1', 'door', 50, ${RANGE}, 'e5', only_texts => true)`,
  `select * from newest_events('nobody', 'temp', 7)`,
  'select * from newest_arrivals(9)',
  `select * from newest_arrivals(500, ${RANGE}, 'e5', '{door,temp}', true)`,
  `select * from newest_arrivals(500, ${RANGE}, of_devices => '{d1,nobody}', only_misdated => true)`,
  `select * from clock_drift_between(${RANGE})`,
  `select * from events_between('d2', 'door', ${RANGE})`,
  `select * from numbers_between('d2', 'temp', ${RANGE})`,
  ...['event', 'device', 'server'].map(
    (axis) => `select * from events_on_axis('d2', 'temp', '${axis}', ${RANGE})`,
  ),
  `select * from event_numbers('d2', 'temp', '-infinity', 'infinity', '1 hour')`,
  `select * from event_numbers('d2', 'temp', ${RANGE}, '17 minutes', '2026-11-20T12:31Z')`,
  `select * from clock_ahead('d1', ${RANGE}, '25 minutes')`,
  `select * from clock_ahead('nobody', ${RANGE}, '25 minutes')`,
  `select * from arrivals_between(${RANGE})`,
  `select * from times_between('{d2,nobody,d1}', '{door,temp,temp}', ${RANGE})`,
  `select * from gaps_between('{d2,nobody,d1}', '{door,temp,temp}', ${RANGE})`,
  `select * from numbers_by_series('{d2,nobody,d1}', '{door,temp,temp}', ${RANGE}, '17 minutes')`,
  `select * from newest_metas('{d2,nobody,d1}', '{door,temp,temp}')`,
  `select * from late_hours(${RANGE}, '2026-11-20T20:00Z')`,
]

async function answers(pool: QueryPool): Promise<unknown> {
  const all = []
  for (const question of QUESTIONS) {
    const rows = await pool.query(`select * from (${question}) q order by q::text`)
    if (!question.includes("'nobody', ")) assert.ok(rows.length > 0, question)
    all.push([question, rows])
  }
  return all
}
