import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { freshDatabase, migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import pg from 'pg'
import { backup } from '../../src/backup/backup.ts'
import type { Manifest, SavedPart } from '../../src/backup/manifest.ts'
import { removeOldBackups } from '../../src/backup/remove-backups.ts'
import { restore } from '../../src/backup/restore.ts'
import { pathOf } from '../../src/backup/saved-file.ts'
import { hasCode } from '../../src/errors/qs-error.ts'

const signal = new AbortController().signal
const onRows = () => {}

async function connect(t: TestContext, databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  t.after(() => client.end())
  return client
}

/** Events of a series, one every ten seconds, months ago. */
const EVENTS = `
insert into events (event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_server, schema, meta)
select $1 || '-' || i, $1, 'temp', case i % 3 when 0 then '-0' when 1 then 5e-324 else i / 7.0 end,
  case when i % 5 = 0 then E'tab\\t\\\\N ü' when i % 100 = 1 then repeat('ü', 8192) end, '°C', at, at, at + i % 70 * interval '317 microseconds', 1,
  case i % 4 when 0 then '{"n": 1.00}'::jsonb end
from (select i, timestamptz '2026-06-01T00:00:00.123456Z' + i * interval '10.003 seconds' as at
  from generate_series($2::int, $3::int) i) x`

/** Seals everything of `device`, in segments with numbers from `first` on. */
async function seal(
  client: pg.Client,
  device: string,
  [from, to]: readonly [number, number],
  first?: number,
) {
  if (first !== undefined)
    await client.query(`select setval(pg_get_serial_sequence('event_segments', 'segment_id'), $1)`, [first])
  await client.query(EVENTS, [device, from, to])
  await client.query('update event_hours_state set covered_to = now()')
  await client.query('select recount_series()')
  let isEnd = false
  while (!isEnd) {
    const { rows } = await client.query<{ is_end: boolean }>(`select * from seal_next('30 days', 5000)`)
    isEnd = rows[0]?.is_end === true
  }
}

/** Everything that was ever stored, as bytes. */
async function history(client: pg.Client) {
  const { rows } = await client.query(
    `select count(*)::int as events, md5(string_agg(h::text, e'\\n' order by event_id)) as content from event_history h`,
  )
  return rows[0]
}

const segmentsOf = ({ tables }: Manifest): readonly SavedPart[] =>
  tables.find(({ table }) => table === 'event_segments')?.parts ?? []

test('sealed events are written once, every backup of a folder is complete, and a damaged file is written again', async (t) => {
  const databaseUrl = await migratedDatabase(t)
  const folder = mkdtempSync(join(tmpdir(), 'qs-backup-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let hour = 0
  const save = (freeBytes?: () => number) =>
    backup({
      ...(freeBytes && { freeBytes }),
      ...{ databaseUrl, folder, now: new Date(Date.UTC(2026, 10, 25, hour++)), leaveOutOthers: false },
      ...{ signal, onRows },
    })
  const client = await connect(t, databaseUrl)
  await seal(client, 'a', [1, 2_000])
  await seal(client, 'b', [1, 1_400], 5_000)
  await client.query(EVENTS, ['rows', 1, 10])

  await assert.rejects(
    save(() => 0),
    /needs at least .*, but .* has 0 bytes free/,
  )
  const first = await save()
  const was = await history(client)
  const [old, last, ...more] = segmentsOf(first.manifest)
  assert.ok(old && last && more.length === 0)
  assert.ok(old.key?.startsWith('event_segments ') && old.key !== last.key)
  const { ino } = statSync(pathOf(folder, old.file))

  await seal(client, 'b', [1_401, 4_000])
  const second = await save()
  const [sameOld, newer] = segmentsOf(second.manifest)
  assert.deepEqual(sameOld, old)
  assert.equal(statSync(pathOf(folder, old.file)).ino, ino, 'the file was not written again')
  assert.notEqual(newer?.file, last.file)
  assert.ok(second.newBytes < first.newBytes * 2)
  const unchanged = await save(() => 10_000_000)
  assert.deepEqual(segmentsOf(unchanged.manifest), segmentsOf(second.manifest))
  assert.ok(unchanged.newBytes < (newer?.bytes ?? 0), `${unchanged.newBytes}`)

  const bytes = readFileSync(pathOf(folder, old.file))
  writeFileSync(pathOf(folder, old.file), bytes.subarray(0, -8))
  const healed = await save()
  assert.deepEqual(segmentsOf(healed.manifest), segmentsOf(second.manifest))
  assert.deepEqual(readFileSync(pathOf(folder, old.file)), bytes)

  const put = async (file: string) => {
    const target = await freshDatabase(t)
    await restore({ databaseUrl: target, file, replace: false, signal, onRows })
    const restored = await connect(t, target)
    const { rows } = await restored.query(
      `select count(*)::int as damaged from event_segments where content <> segment_content(segment_id)`,
    )
    assert.deepEqual(rows, [{ damaged: 0 }])
    return history(restored)
  }
  assert.deepEqual(await put(first.path), was)
  removeOldBackups(folder, { keep: 1, made: healed.path, nowMs: Date.now() })
  assert.deepEqual(await put(healed.path), await history(client))

  rmSync(pathOf(folder, old.file))
  await assert.rejects(put(healed.path), (error) => {
    assert.ok(hasCode(error, 'BACKUP_UNUSABLE'))
    assert.match(
      error.message,
      new RegExp(`${old.file}.gz \\(event_segments, ${old.rows} rows\\) is missing. Nothing was changed`),
    )
    return true
  })
})
