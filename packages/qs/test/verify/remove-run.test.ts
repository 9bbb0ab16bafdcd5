import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEVICE_TABLES } from '@qs-telemetry/testing/device-tables.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { askClient } from '../../src/database/ask-client.ts'
import { withClient } from '../../src/database/open-client.ts'
import { removeDevice } from '../../src/devices/remove-devices.ts'
import { removeRun } from '../../src/verify/prove.ts'

const RUN = 'qs-verify-00000000'

/** One row for a device in every table. Each new table with a device id needs a row here. */
const ROWS = `
insert into events (event_id, device_id, event_type, ts, ts_server, schema) values ($1 || '-e', $1, 'temp', now(), now(), 1);
insert into event_segments (device_id, event_type, events, texts, misdated, first_ts, last_ts, first_seen, last_seen, content,
    id_prefix, id_uuids, ts_steps, server_after, schemas)
  values ($1, 'temp', 1, 0, 0, now(), now(), now(), now(), '', '', array[gen_random_uuid()], '{0}', '{0}', '{1}');
insert into series (device_id, event_type, events, first_ts, first_seen, last_seen, ts, event_id, ts_device_readable, ts_server)
  values ($1, 'temp', 1, now(), now(), now(), now(), $1 || '-e', true, now());
insert into devices (device_id, first_seen, last_seen) values ($1, now(), now());
insert into dead_letters (topic, device_id, code, error, trace, payload, received_at, fingerprint)
  values ('t', $1, 'INVALID_JSON', 'e', 't', 'x', now(), gen_random_uuid());
insert into dead_letter_history (dead_letter_id, action, device_id, payload)
  select dead_letter_id, 'repaired', $1, 'x' from dead_letters where device_id = $1;
insert into dead_letters_counted (minute, device_id, code, letters, bytes) values (now(), $1, 'INVALID_JSON', 1, 1);
insert into alert_states (rule, device_id, event_type, state, since, message) values ('silent-devices', $1, '', 'firing', now(), '');
insert into alert_history (at, rule, device_id, event_type, change, message) values (now(), 'silent-devices', $1, '', 'firing', '');
insert into received_numbers values ($1, '1', 0, 9, now(), now(), now());
insert into device_gaps (device_id, missing, gaps, complete_since) values ($1, 0, 0, now());
insert into pinned (device_id, event_type) values ($1, 'temp');
insert into dropped_series (device_id, event_type, dropped_to) values ($1, 'temp', now());
insert into event_hours (device_id, event_type, hour, events, low, high, total) values ($1, 'temp', now(), 1, 0, 0, 0)`

test('the rows of a run are removed from every table with a device, and those of no other device', async (t) => {
  const databaseUrl = await migratedDatabase(t)
  await withClient(databaseUrl, async (database) => {
    for (const deviceId of [`${RUN}-1`, 'kitchen'])
      for (const sql of ROWS.split(';\n')) await database.query(sql, [deviceId])
    await database.query(
      `insert into ingest_stats values (now(), $1, 0, 0, 0, 0, 0), (now(), 'qs-ingester', 0, 0, 0, 0, 0)`,
      [RUN],
    )
    await removeRun(database, RUN)
    const tables = await database.query<{ name: string }>(DEVICE_TABLES)
    assert.equal(tables.rows.length, 14)
    for (const { name } of tables.rows) {
      const { rows } = await database.query(`select device_id from ${name}`)
      assert.deepEqual(rows, [{ device_id: 'kitchen' }], name)
    }
    assert.deepEqual((await database.query('select writer from ingest_stats')).rows, [
      { writer: 'qs-ingester' },
    ])

    // One device is removed by its whole id.
    for (const sql of ROWS.split(';\n')) await database.query(sql, ['kitchen-2'])
    const { events, finish } = await removeDevice(askClient(database), 'kitchen')
    assert.equal(events, 2, 'a row and a segment of one event')
    assert.notEqual(finish, null, 'it sent just now')
    for (const { name } of tables.rows) {
      const { rows } = await database.query(`select device_id from ${name}`)
      assert.deepEqual(rows, [{ device_id: 'kitchen-2' }], name)
    }
    await database.query(`update series set last_seen = now() - interval '1 hour'`)
    await database.query(`update devices set last_seen = now() - interval '1 hour'`)
    assert.equal((await removeDevice(askClient(database), 'kitchen-2')).finish, null)
  })
})
