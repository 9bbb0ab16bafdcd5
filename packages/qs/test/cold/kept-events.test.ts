import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { dayNamed } from '../../src/cold/arrivals.ts'
import { readColdFile } from '../../src/cold/read-cold-file.ts'
import { coldFiles } from './read-cold.ts'
import { startExport } from './start-export.ts'

const DAY_MS = 86_400_000
const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString()

test('events that retention deletes stay in the files, also when more arrive on their day', async (t) => {
  const { client, directory, run, store, ids } = await startExport(t)
  // What a board kept for two months and sent two days ago.
  for (let n = 0; n < 5; n++) await store(`old-${n}`, ago(60), ago(2))
  await store('new-0', ago(2), ago(2))
  await run()
  const files = coldFiles(directory)
  assert.equal(files.length, 2)
  const old = readFileSync(join(directory, files[0] ?? ''))

  await client.query(
    `update retention set keep_events = '30 days'; update event_hours_state set covered_to = now()`,
  )
  await client.query('select recount_series()')
  const { rows } = await client.query('select events::int from drop_expired(5000)')
  assert.deepEqual(rows, [{ events: 5 }])
  for (let n = 1; n < 10; n++) await store(`new-${n}`, ago(2), ago(2))

  const { days, allEvents, kept } = await run()
  assert.deepEqual([days, allEvents, kept], [1, 15, [ago(2).slice(0, 10)]])
  assert.equal((await ids()).length, 15)
  assert.deepEqual(coldFiles(directory), files, 'the file of its month has grown')
  assert.deepEqual(readFileSync(join(directory, files[0] ?? '')), old, 'the only copy is untouched')
})

test('a file with events that the database has no longer is not replaced; new ones go into another file', async (t) => {
  const { client, directory, run, store, ids } = await startExport(t)
  const at = ago(3)
  for (let n = 0; n < 4; n++) await store(`a-${n}`, at, at)
  await run()
  const [first = ''] = coldFiles(directory)
  const bytes = readFileSync(join(directory, first))

  // As many as before, and then fewer: the number says nothing.
  await client.query(`delete from events where event_id in ('a-0', 'a-1')`)
  for (const id of ['b-0', 'b-1']) await store(id, at, at)
  assert.equal((await run()).days, 1)
  assert.deepEqual(await ids(), ['a-0', 'a-1', 'a-2', 'a-3', 'b-0', 'b-1'])
  await client.query(`delete from events where event_id in ('a-2', 'a-3')`)
  await store('b-2', at, at)
  const { days, kept, files } = await run()
  assert.deepEqual([days, kept, files], [1, [at.slice(0, 10)], 2])
  assert.deepEqual(await ids(), ['a-0', 'a-1', 'a-2', 'a-3', 'b-0', 'b-1', 'b-2'])
  assert.deepEqual(coldFiles(directory), [first.replace('.parquet', '.2.parquet'), first])
  assert.deepEqual(readFileSync(join(directory, first)), bytes)
  assert.equal((await run({ recount: true })).days, 0)
})

test('an event that was removed and sent again with another value is in the files with both', async (t) => {
  const { client, directory, run, store } = await startExport(t)
  await store('same', '2026-11-01Z', '2026-11-01Z')
  await run()
  await client.query(`update events set value_num = 7`)
  assert.equal((await run({ recount: true })).days, 1)
  const values: unknown[] = []
  for (const path of coldFiles(directory))
    for await (const row of readColdFile(join(directory, path))) values.push(row[3])
  assert.deepEqual(values, [7, null])
})

test('a lost file costs no other file of its day, and a run that was killed no event', async (t) => {
  const { client, directory, run, store, ids } = await startExport(t)
  const manifest = join(directory, '_qs', 'manifest.json')
  const [september, november] = ['2026-09-30 23:00Z', '2026-11-01 01:00Z']
  const add = async (id: string) => {
    await store(`s-${id}`, september, '2026-11-01 02:00Z')
    await store(`n-${id}`, november, '2026-11-01 02:00Z')
  }
  await add('0')
  await run()
  copyFileSync(manifest, `${manifest}.old`)
  await add('1')
  await run({ recount: true })
  // As if that run had been killed before it wrote the list; then retention comes, and a file is lost.
  copyFileSync(`${manifest}.old`, manifest)
  await client.query(`delete from events where event_id = 's-0'`)
  rmSync(join(directory, coldFiles(directory)[1] ?? ''))
  await add('2')
  const { allEvents } = await run()
  const all = ['n-0', 'n-1', 'n-2', 's-0', 's-1', 's-2']
  assert.deepEqual([allEvents, await ids()], [6, all])
  await client.query('delete from events')
  rmSync(manifest)
  await run()
  await store('n-3', november, '2026-11-01 02:00Z')
  assert.deepEqual(
    [(await run({ recount: true })).allEvents, await ids()],
    [7, [...all.slice(0, 3), 'n-3', ...all.slice(3)]],
  )
})

test('ids and texts of every kind are found again in a file, so that it is replaced and not added to', async (t) => {
  const { client, run } = await startExport(t)
  // In UTF-16, U+1F600 comes before U+FF5E; in bytes, after it. And a byte order mark is a character.
  const ids = ['😀', '～', 'a', 'ä', '\uFEFFbom', '"\\\n\t', 'a\u0301', 'Z', '10', '9']
  const add = (n: number) =>
    client.query(
      `insert into events (event_id, device_id, event_type, value_num, value_text, ts, ts_server, schema, meta)
       select id || $2, device, '～' || device, $3, '\uFEFF' || id, ts::timestamptz, '2026-11-02Z', 1, to_jsonb(id)
       from unnest($1::text[]) id, unnest(array['😀', '～', 'd']) device, unnest(array['infinity', '-infinity', '2026-11-01Z']) ts
       on conflict do nothing`,
      [ids, String(n), n === 0 ? '-0' : '5e-324'],
    )
  await client.query(
    `alter table events drop constraint events_pkey; alter table events add primary key (event_id, device_id, ts)`,
  )
  for (let n = 0; n < 3; n++) {
    await add(n)
    const { events, allEvents, files } = await run({ recount: true })
    assert.deepEqual([events, allEvents, files], [90 * (n + 1), 90 * (n + 1), 1])
  }
  assert.equal((await run({ recount: true })).days, 0)
})

test('texts of 16 KiB come through, as rows and sealed', async (t) => {
  const { client, directory, run } = await startExport(t)
  const add = (from: number) =>
    client.query(`
      insert into events (event_id, device_id, event_type, value_text, ts, ts_server, schema)
      select 'd-' || n, 'd', 't', repeat('ü', 8000) || lpad(md5(n::text), 384, md5(n::text || 'x')), at, at, 1
      from generate_series(${from}, ${from + 1499}) n
      cross join lateral (select '2026-09-01Z'::timestamptz + n * interval '20 seconds') a(at)`)
  await add(1)
  const { rows: sealed } = await client.query(
    `select seal_series('d', 't', '2026-10-01Z', '2026-10-01Z', 5000) as n`,
  )
  assert.deepEqual(sealed, [{ n: 1500 }])
  await add(1501)
  assert.equal((await run()).events, 3000)
  const { rows } = await client.query<{ id: string; text: string }>(
    'select event_id as id, value_text as text from event_history',
  )
  const texts = new Map(rows.map(({ id, text }) => [id, text]))
  let found = 0
  for (const path of coldFiles(directory))
    for await (const row of readColdFile(join(directory, path))) {
      assert.equal(Buffer.byteLength(String(row[4])), 16_384)
      assert.ok(row[4] === texts.get(String(row[0])))
      found++
    }
  assert.equal(found, 3000)
})

test('an event of 1970 costs no look at the months between', async (t) => {
  const { client, directory, run, store } = await startExport(t)
  // The server's clock said 1970 when it arrived, and the board's did too; it is sealed with one that came 56 years later.
  for (const at of ['1970-01-02Z', '2026-09-01Z']) await store(`d-${at}`, at, at)
  await store('row-1970', '1970-03-01Z', '1970-03-01Z')
  await store('row', '2026-10-01Z', '2026-10-01Z')
  await client.query(`update events set device_id = 'e' where event_id like 'row%'`)
  await client.query(`select seal_series('d', 't', '2026-10-01Z', '2026-10-01Z', 5000)`)
  const { rows } = await client.query('select count(*)::int as n from event_segments')
  assert.deepEqual(rows, [{ n: 1 }])
  const looks: string[] = []
  const query = client.query.bind(client) as (...args: unknown[]) => unknown
  t.mock.method(client, 'query', (...args: unknown[]) => {
    if (String(args[0]).includes('count(*)')) looks.push(String((args[1] as string[])[0]))
    return query(...args)
  })
  await run()
  const days = ['1970-01-02', '1970-03-01', '2026-09-01', '2026-10-01']
  assert.deepEqual(
    looks,
    days.map((name) => dayNamed(name).from),
  )
  assert.deepEqual(
    coldFiles(directory),
    days.map((day) => `year=${day.slice(0, 4)}/month=${day.slice(5, 7)}/arrived-${day}.parquet`),
  )
})

test('a day in the future, of a clock that was ahead, hides no day that comes after the run', async (t) => {
  const { run, store } = await startExport(t)
  await store('old', ago(60), ago(60))
  await store('ahead', '2040-01-01Z', '2040-01-01Z')
  await run()
  await store('now', ago(0), ago(0))
  assert.equal((await run()).allEvents, 3)
})

test('months and days are those of UTC, whatever time zone the database has', async (t) => {
  const { client, directory, run, store } = await startExport(t)
  await client.query(`set timezone = 'America/Los_Angeles'`)
  // The night of 1 November has 25 hours there, and that of 8 March 23; both months end at other instants than in UTC.
  const at = [
    '2026-03-01T07:59:59.999999Z',
    '2026-03-09T06:30Z',
    '2026-10-31T23:59:59.999999Z',
    '2026-11-01T00:00Z',
  ]
  for (const time of [...at, '2026-11-02T07:30Z', '2026-11-02T08:30Z']) await store(time, time, time)
  await run()
  assert.deepEqual(coldFiles(directory), [
    'year=2026/month=03/arrived-2026-03-01.parquet',
    'year=2026/month=03/arrived-2026-03-09.parquet',
    'year=2026/month=10/arrived-2026-10-31.parquet',
    'year=2026/month=11/arrived-2026-11-01.parquet',
    'year=2026/month=11/arrived-2026-11-02.parquet',
  ])
})
