import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runQs, startQs } from '@qs-telemetry/testing/qs.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { coldFiles, readCold } from './read-cold.ts'
import { startExport, VALUES } from './start-export.ts'

/** As the files have it, except that times are text. */
const STORED = `
select event_id, device_id, event_type, value_num, value_text, nullif(value_exact, '') as value_exact, unit, ${[
  'ts',
  'ts_device',
  'ts_device_local',
  'ts_server',
]
  .map(
    (name) =>
      `case when isfinite(${name}) then (extract(epoch from ${name}) * 1000000)::bigint::text end as ${name}`,
  )
  .join(', ')}, ts_device_raw, schema, meta::text
from events order by event_id`

test('every column comes back to the last bit, in the folder of its month', async (t) => {
  const { client, directory, run, store } = await startExport(t)
  for (const [n, more] of ['', ...Object.keys(VALUES)].entries())
    await store(`d-${n}`, `2026-10-31 23:59:5${n}.999999Z`, `2026-11-02 00:00:0${n}.123456Z`, more)
  await store('d-new', '2026-11-01 00:00:00Z', '2026-11-02 12:00:00.000001Z')
  await store('d-never', 'infinity', '2026-12-02 12:00:00.000001Z')

  const { events, files, kept } = await run()
  assert.deepEqual([events, files, kept], [Object.keys(VALUES).length + 3, 3, []])
  assert.deepEqual(coldFiles(directory), [
    'year=2026/month=10/arrived-2026-11-02.parquet',
    'year=2026/month=11/arrived-2026-11-02.parquet',
    'year=2026/month=12/arrived-2026-12-02.parquet',
  ])
  const text = (value: unknown) =>
    Object.is(value, -0)
      ? '-0'
      : typeof value === 'bigint' || typeof value === 'number'
        ? String(value)
        : value
  const asText = (row: object) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, text(value) ?? null]))
  const read = (await readCold(directory)).map(asText)
  const { rows } = await client.query(STORED)
  const byId = (one: object, other: object) =>
    String(Object(one).event_id) < String(Object(other).event_id) ? -1 : 1
  assert.deepEqual(read.toSorted(byId), rows.map(asText).toSorted(byId))
})

test('a later run writes only the days on which more events arrived', async (t) => {
  const { client, directory, run, store, ids } = await startExport(t)
  const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString()
  for (let back = 40; back >= 0; back -= 4) await store(`at-${back}`, day(back), day(back))
  assert.equal((await run()).days, 11)
  assert.equal((await run()).days, 0)

  // One that arrives now and is old, and one that was committed long after it arrived.
  await store('late', day(35), day(0))
  await store('held', day(4), day(4))
  const times = coldFiles(directory).map((path) => statSync(join(directory, path)).mtimeMs)
  const { days, events, allEvents } = await run()
  assert.deepEqual([days, events, allEvents], [2, 3, 13])
  assert.equal((await ids()).length, 13)
  assert.ok(coldFiles(directory).length > times.length, 'the late event has a file of its own in its month')

  // What is deleted stays in the files, also where the day grows again.
  await client.query(`delete from events where event_id in ('late', 'held', 'at-40')`)
  const { kept, ...after } = await run({ recount: true })
  assert.deepEqual([kept.length, after.days, after.allEvents], [2, 0, 13])

  // More than a week after its day, only a recount finds it.
  await store('lost', day(36), day(36))
  assert.equal((await run()).days, 0)
  assert.equal((await run({ recount: true })).days, 1)
  assert.ok((await ids()).includes('lost'))
})

test('a file that was lost or cut off is written again, and what was left of it is kept', async (t) => {
  const { directory, run, store, ids } = await startExport(t)
  await store('one', '2026-11-01Z', '2026-11-01Z')
  await store('two', '2026-11-02Z', '2026-11-02Z')
  await run()
  const [first = '', second = ''] = coldFiles(directory)
  rmSync(join(directory, first))
  const whole = readFileSync(join(directory, second))
  writeFileSync(join(directory, second), whole.subarray(0, 100))
  const { days, damaged } = await run()
  assert.equal(days, 2)
  assert.equal(damaged.length, 1)
  assert.equal(statSync(join(directory, damaged[0] ?? '')).size, 100)
  assert.deepEqual(await ids(), ['one', 'two'])

  const [same = ''] = coldFiles(directory)
  const bytes = readFileSync(join(directory, same))
  writeFileSync(join(directory, same), bytes.fill(0, 8, 80))
  await store('more', '2026-11-01Z', '2026-11-01Z')
  await assert.rejects(run({ recount: true }), /2026-11-01.parquet is damaged.*Move/)
})

test('a directory with other files is left alone, and one with a damaged list too', async (t) => {
  const { directory, run } = await startExport(t)
  writeFileSync(join(directory, 'mine.txt'), '')
  await assert.rejects(run(), { code: 'FILE_EXISTS' })
  assert.deepEqual(readdirSync(directory), ['mine.txt'])
  rmSync(join(directory, 'mine.txt'))
  await run()
  writeFileSync(join(directory, '_qs', 'manifest.json'), '{')
  await assert.rejects(run(), { code: 'EXPORT_UNUSABLE' })
})

test('qs export killed at any time leaves whole files, and the next run completes them', async (t) => {
  const { url, client, directory, ids } = await startExport(t)
  const [DAYS, EACH] = [40, 500]
  await client.query(`
    insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
    select 'd-' || n, 'd', 't', n, at - interval '2 days', at, 1
    from generate_series(1, ${DAYS * EACH}) n
    cross join lateral (select '2026-10-01Z'::timestamptz + (n - 1) / ${EACH} * interval '1 day') a(at)`)
  const manifest = join(directory, '_qs', 'manifest.json')
  const env = { DATABASE_URL: url }
  const daysDone = () =>
    existsSync(manifest) ? Object.keys(JSON.parse(readFileSync(manifest, 'utf8')).days).length : 0
  for (const least of [1, 10]) {
    const qs = startQs(t, ['export', directory], { env })
    await until(() => daysDone() >= least, `${least} days are written`)
    qs.process.kill('SIGKILL')
    await qs.exit()
    const read = await readCold(directory)
    assert.ok(read.length >= least * EACH && read.length % EACH === 0)
  }
  const unfinished = DAYS - daysDone()
  const { code, stdout, stderr } = await runQs(t, ['export', directory, '--json'], { env })
  assert.equal(code, 0, stderr)
  const { days, allEvents } = JSON.parse(stdout) as { days: number; allEvents: number }
  assert.deepEqual([days, allEvents], [unfinished, DAYS * EACH])
  assert.equal(new Set(await ids()).size, DAYS * EACH)
  assert.equal((await readCold(directory)).length, DAYS * EACH)
})

test('sealed events are in the files too, and sealing changes nothing about them', async (t) => {
  const { client, directory, run, store } = await startExport(t)
  await client.query(`
    insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
    select 'd-' || n, 'd', 't', n / 4.0, at, at + interval '123456 microseconds', 1
    from generate_series(1, 3000) n
    cross join lateral (select '2026-09-01 00:00:00.000001Z'::timestamptz + n * interval '1 minute') a(at)`)
  await store('fresh', '2026-11-01Z', '2026-11-01Z')
  assert.equal((await run()).days, 4)
  const { rows } = await client.query<{ n: number }>(
    `select seal_series('d', 't', '2026-10-01Z', '2026-10-01Z', 5000) as n`,
  )
  assert.equal(rows[0]?.n, 3000)
  const { days, kept } = await run({ recount: true })
  assert.deepEqual([days, kept], [0, []])

  const anew = join(directory, 'anew')
  assert.equal((await run({ directory: anew })).allEvents, 3001)
  assert.deepEqual(await readCold(anew), await readCold(directory, coldFiles(anew)))
})
