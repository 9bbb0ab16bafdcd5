import { pino } from 'pino'
import { startEmbeddedPostgres } from './embedded-postgres.ts'
import { Client } from 'pg'
const p = await startEmbeddedPostgres({ dataDir: process.argv[2]!, port: 6011, log: pino({ level: 'error' }) })
const c = new Client(p.url); await c.connect()
const lsn = async () => BigInt((await c.query(`select pg_current_wal_lsn() - '0/0'::pg_lsn as l`)).rows[0].l)
for (const id of ['gen_random_uuid()::text', `'240ac4-' || (g % 50) || '-17-' || (i * 10000 + g)`]) for (const mode of ['off', 'pglz', 'off', 'pglz']) {
  await c.query(`drop table if exists e; create table e (event_id text primary key, device_id text, event_type text, value_num float8, ts timestamptz, ts_server timestamptz, meta jsonb); create index on e (device_id, event_type, ts)`)
  await c.query(`set wal_compression = ${mode}`)
  await c.query('checkpoint')
  let w = await lsn(), t = performance.now(), fpi = (await c.query('select wal_fpi::int8 f, wal_bytes from pg_stat_wal')).rows[0]
  for (let i = 0; i < 120; i++) {
    await c.query(`insert into e select ${id}, 'device-' || (g % 50), 'temp', random(), now(), now(), '{"a":1,"rssi":-60}' from generate_series(1, 10000) g, (select ${i} as i) x`)
    if (i % 10 === 9) await c.query('checkpoint')
  }
  await c.query('select pg_stat_force_next_flush()')
  const f2 = (await c.query('select wal_fpi::int8 f, wal_bytes from pg_stat_wal')).rows[0]
  console.log(id.slice(0, 12), mode, (await c.query('show wal_compression')).rows[0].wal_compression, 'rows/s', Math.round(1.2e6 / (performance.now() - t) * 1000), 'WAL MB', Number(await lsn() - w) / 1e6, 'fpi', f2.f - fpi.f)
}
await c.end(); await p.stop()
