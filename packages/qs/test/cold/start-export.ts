import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import pg from 'pg'
import { type ColdExportOptions, exportCold } from '../../src/cold/export-cold.ts'
import { readCold } from './read-cold.ts'

/** A database and an empty directory for its cold files. */
export async function startExport(t: TestContext) {
  const url = await migratedDatabase(t)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const directory = mkdtempSync(join(tmpdir(), 'qs-cold-'))
  t.after(async () => {
    await client.end()
    rmSync(directory, { recursive: true })
  })
  const run = (options: Partial<ColdExportOptions> = {}) =>
    exportCold(client, {
      ...{ directory, recount: false, signal: new AbortController().signal, onEvents: () => {} },
      ...options,
    })
  /** An event of `id` for each pair of event time and arrival. */
  const store = (id: string, ts: string, seen: string, more = '') =>
    client.query(`insert into events (event_id, device_id, event_type, ts, ts_server, schema ${more && `, ${more}`})
      values ('${id}', 'd', 't', '${ts}', '${seen}', 1 ${more && `, ${VALUES[more]}`})`)
  const ids = async () => (await readCold(directory)).map((row) => String(row.event_id)).sort()
  return { url, client, directory, run, store, ids }
}

/** Values of these columns that are hard to write. */
export const VALUES: Readonly<Record<string, string>> = {
  value_num: `'-0'`,
  'value_num, unit': `5e-324, '°C'`,
  'value_num, value_exact': `9007199254740992, '9007199254740993'`,
  value_text: `''`,
  'value_text, meta': `repeat('😀', 4000), '{"n": 12345678901234567890.10, "t": "a\\n\\"b\\""}'`,
  'ts_device, ts_device_local': `'2026-11-01 08:30:00.000001Z', '2026-11-01 01:30:00.000001'`,
  ts_device: `'infinity'`,
  ts_device_raw: `'soon'`,
}
