import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { withClient } from '../../src/database/open-client.ts'

test('qs keep set says how many series and events match, and what the next run deletes', async (t) => {
  const url = await migratedDatabase(t)
  await withClient(url, (client) =>
    client.query(`
      insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
      select d || t || i, d, t, i, at, at, 1
      from unnest('{boiler-1,boiler_1}'::text[]) d, unnest('{temp,door}'::text[]) t, generate_series(0, 99) i,
        lateral (select now() - interval '1 hour' - i * interval '1 day' as at) x;
      update event_hours_state set covered_to = now();
      select recount_series()`),
  )
  const set = async (...rule: readonly string[]) => {
    const { code, stdout, stderr } = await runCommand(['keep', 'set', ...rule], { DATABASE_URL: url })
    assert.equal(code, 0, stderr)
    return stdout
  }
  const oldest = new Date(Date.now() - 3_600_000 - 99 * 86_400_000).toISOString().slice(0, 10)
  assert.equal(
    await set('boiler-*', '*', '30d'),
    `devices boiler-*, types *: kept for 30 days.
It matches 2 series, which sent 200 events. The next run of the ingester deletes 140 events of 2 series, the oldest of ${oldest}; qs keep ls lists them.
`,
  )
  assert.match(await set('boiler_*', 'temp', 'forever'), /^It matches 1 series, .* deletes none of them\.$/m)
  assert.match(
    await set('biler*', '*', '30d'),
    /^It matches no series yet; qs device ls shows the devices\.$/m,
  )
})
