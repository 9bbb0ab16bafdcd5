import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { freshDatabase } from '@qs-telemetry/testing/postgres.ts'
import pg from 'pg'
import { exportCold } from '../packages/qs/src/cold/export-cold.ts'
import { migrate } from '../packages/qs/src/database/migrate.ts'

/** As much of DuckDB as the test needs. It has a folder of its own, so it is not in reach of an import. */
interface DuckDB {
  readonly DuckDBInstance: {
    create(): Promise<{ connect(): Promise<{ runAndReadAll(sql: string): Promise<Answer> }> }>
  }
}
interface Answer {
  getRowObjectsJson(): readonly Readonly<Record<string, unknown>>[]
}

const load = createRequire(new URL('./duckdb/package.json', import.meta.url))

test('DuckDB answers the queries of docs/cold-files.md from an export, to the last microsecond and digit', async (t) => {
  const url = await freshDatabase(t)
  await migrate(url)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const directory = mkdtempSync(join(tmpdir(), 'qs-duckdb-'))
  t.after(async () => {
    await client.end()
    rmSync(directory, { recursive: true })
  })
  await client.query(`
    insert into events (event_id, device_id, event_type, value_num, value_exact, ts, ts_device, ts_device_local, ts_server, schema, meta)
    select 'esp32-' || d || '-' || n, 'esp32-' || d, 'temp', n + 0.25, case when n = 7 then '7.250000000000000000001' else '' end,
      at, at, at at time zone 'America/Los_Angeles', at + interval '123456 microseconds', 1,
      case when n % 5 = 0 then jsonb_build_object('rssi', -40 - n % 50) end
    from generate_series(1, 3) d cross join generate_series(1, 20000) n
    cross join lateral (select '2026-10-31 00:00:00.000001Z'::timestamptz + n * interval '10 seconds') a(at)`)
  const signal = new AbortController().signal
  await exportCold(client, { directory, recount: false, signal, onEvents: () => {} })

  const { DuckDBInstance } = load('@duckdb/node-api') as DuckDB
  const duck = await (await DuckDBInstance.create()).connect()
  const rowsOf = async (sql: string) => (await duck.runAndReadAll(sql)).getRowObjectsJson()
  await rowsOf(`set timezone = 'UTC'`)
  const [, sql = ''] = /```sql\n([\s\S]*?)```/.exec(readFileSync('docs/cold-files.md', 'utf8')) ?? []
  const [view = '', day = '', months = '', field = ''] = sql.split(';').map((text) => text.trim())
  await rowsOf(view.replace('/mnt/nas/qs', directory))
  assert.equal((await rowsOf(day)).length, 24)
  assert.deepEqual(await rowsOf(months), [
    { year: '2026', month: '10', events: '25917', devices: '3' },
    { year: '2026', month: '11', events: '34083', devices: '3' },
  ])
  assert.deepEqual(
    await rowsOf(field),
    [1, 2, 3].map((d) => ({ device_id: `esp32-${d}`, rssi: -85 })),
  )
  assert.deepEqual(
    await rowsOf(`select event_id, value_num, value_exact, ts::varchar as ts, ts_device_local::varchar as local,
      ts_server::varchar as ts_server, schema, meta from events where event_id in ('esp32-1-7', 'esp32-1-10') order by ts`),
    [
      {
        ...{ event_id: 'esp32-1-7', value_num: 7.25, value_exact: '7.250000000000000000001' },
        ...{ ts: '2026-10-31 00:01:10.000001+00', local: '2026-10-30 17:01:10.000001' },
        ...{ ts_server: '2026-10-31 00:01:10.123457+00', schema: 1, meta: null },
      },
      {
        ...{ event_id: 'esp32-1-10', value_num: 10.25, value_exact: null },
        ...{ ts: '2026-10-31 00:01:40.000001+00', local: '2026-10-30 17:01:40.000001' },
        ...{ ts_server: '2026-10-31 00:01:40.123457+00', schema: 1, meta: '{"rssi": -50}' },
      },
    ],
  )
})
