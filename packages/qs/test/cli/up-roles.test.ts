import assert from 'node:assert/strict'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { json } from '@qs-telemetry/testing/console.ts'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { session } from '@qs-telemetry/testing/roles.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import type pg from 'pg'
import { migrate } from '../../src/database/migrate.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres/embedded-postgres.ts'
import { newDataDirectory } from '../embedded/postgres/data-directory.ts'

const FILES = {
  qs: 'postgres-password',
  qs_ingester: 'postgres-password-ingester',
  qs_console: 'postgres-password-console',
} as const
const SERVICES = ['qs_ingester', 'qs_console'] as const

const EVENT = { schema: 1, event_id: 'a', device_id: 'd', event_type: 't', value: 1 }
const STORED = `insert into events (event_id, device_id, event_type, ts, ts_server, schema)
  values ('old', 'd', 't', now(), now(), 1)`

/** A data directory as created by the first release: one role, one password file, one event. */
async function oldDataDirectory(t: TestContext): Promise<string> {
  const dataDir = await newDataDirectory(t)
  const database = await startEmbeddedPostgres({ dataDir, port: await freePort(), log: silentLog().log })
  try {
    const owner = await session(t, database.url)
    await owner.query('drop owned by qs_ingester, qs_console; drop role qs_ingester, qs_console')
    await migrate(database.url)
    await owner.query(STORED)
    // A role created by hand, incomplete and with too many rights: the start repairs it.
    await owner.query('create role qs_console superuser; grant all on events to qs_console')
  } finally {
    await database.stop()
  }
  for (const role of SERVICES) rmSync(join(dataDir, FILES[role]))
  return dataDir
}

async function startUp(t: TestContext) {
  const dataDir = await oldDataDirectory(t)
  const [mqtt, ws, http, postgres] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const env = {
    ...{ QS_DATA_DIR: dataDir, MQTT_PORT: String(mqtt), MQTT_WS_PORT: String(ws) },
    ...{ HTTP_PORT: String(http), POSTGRES_PORT: String(postgres) },
  }
  const up = startQs(t, ['up'], { env })
  await untilReady(up, http)
  const urlOf = (role: keyof typeof FILES) =>
    `postgresql://${role}:${readFileSync(join(dataDir, FILES[role]), 'utf8').trim()}@127.0.0.1:${postgres}/qs`
  const client = await connectAsync(`mqtt://127.0.0.1:${mqtt}`)
  t.after(() => client.endAsync(true))
  const owner = await session(t, urlOf('qs'))
  return {
    dataDir,
    urlOf,
    owner,
    output: () => up.stdout() + up.stderr(),
    publish: (event: object) =>
      client.publishAsync('qs/v1/d/events', JSON.stringify({ ...EVENT, ...event }), { qos: 1 }),
    api: async <T>(path: string, init?: RequestInit): Promise<T> => {
      const response = await fetch(`http://127.0.0.1:${http}${path}`, init)
      const text = await response.text()
      assert.ok(response.ok, `${path}: ${response.status} ${text}`)
      return JSON.parse(text) as T
    },
  }
}

async function count(owner: pg.Client, from: string): Promise<number> {
  const { rows } = await owner.query<{ n: number }>(`select count(*)::int as n from ${from}`)
  return rows[0]?.n ?? -1
}

test('qs up gives ingester and console roles without superuser in an old data directory', async (t) => {
  const { dataDir, urlOf, owner, output, publish, api } = await startUp(t)
  const isStored = (id: string) => count(owner, `events where event_id = '${id}'`).then((n) => n === 1)

  await t.test('the event of the first release is kept, and a new one is stored', async () => {
    await publish({ event_id: 'new' })
    await until(() => isStored('new'), 'the new event is stored')
    // Its row is written with a later batch than the first event of a device.
    await until(
      async () => (await count(owner, `devices where device_id = 'd'`)) === 1,
      'the device is listed',
    )
    assert.ok(await isStored('old'))
  })

  await t.test('every action of the console works', async () => {
    await api('/api/devices/d', json('PATCH', { label: 'L', timeZone: 'Europe/Berlin' }))
    await publish({ event_id: 'bad', value: [] })
    await until(async () => (await count(owner, 'dead_letters')) === 1, 'a dead letter')
    const { letters } = await api<{ letters: { id: string }[] }>('/api/letters')
    const repair = json('PUT', { payload: JSON.stringify({ ...EVENT, event_id: 'bad', value: 2 }) })
    await api(`/api/letters/${letters[0]?.id}/repair`, repair)
    await api('/api/letters/replay', json('POST', { all: true }))
    assert.ok(await isStored('bad'))
    assert.deepEqual(await api('/api/letters/purge', json('POST', { all: true })), { purged: 1 })
    const year = 'from=2026-01-01T00:00:00Z&to=2100-01-01T00:00:00Z'
    for (const path of ['overview', 'devices', 'events', 'sparklines?device=d', `devices/d/drift?${year}`])
      await api(`/api/${path}`)
    await api(`/api/series?device=d&type=t&${year}`)
    await api('/api/simulation', { method: 'POST' })
    await until(async () => (await count(owner, `events where device_id like 'demo-%'`)) > 100, 'demo events')
    await api('/api/simulation/stop', { method: 'POST' })
    assert.deepEqual(await api('/api/simulation', { method: 'DELETE' }), { running: false, devices: 0 })
    assert.equal(await count(owner, `events where device_id like 'demo-%'`), 0)
    assert.equal(await count(owner, 'events'), 3)
    const { entries } = await api<{ entries: { action: string }[] }>('/api/audit?limit=100')
    assert.ok(entries.some(({ action }) => action === 'simulated data removed'))
  })

  await t.test('no service connects as the owner, except to remove simulated data', async () => {
    const { rows } = await owner.query<{ usename: string; name: string }>(
      `select distinct usename, application_name as name from pg_stat_activity
       where datname = 'qs' and pid <> pg_backend_pid() order by 1, 2`,
    )
    const names = (role: string) => rows.filter(({ usename }) => usename === role).map(({ name }) => name)
    assert.deepEqual(
      names('qs').filter((name) => name !== 'qs-simulation'),
      [],
    )
    assert.ok(names('qs_ingester').length > 0)
    assert.ok(names('qs_console').length > 0)
    assert.ok(names('qs_console').every((name) => name.startsWith('qs-console')))
  })

  await t.test('they have no role attributes, and are refused what grants.sql does not grant', async (t) => {
    const { rows } = await owner.query(
      `select from pg_roles where rolname = any($1)
       and not (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls)`,
      [SERVICES],
    )
    assert.equal(rows.length, 2)
    const refused = {
      qs_ingester: ['delete from events', 'select * from audit_log', `update devices set label = 'x'`],
      qs_console: [
        STORED,
        'delete from events',
        'update events set value_num = 1',
        'select * from schema_migrations',
      ],
    }
    const ofAll = [
      ...[
        'truncate events',
        'create table x ()',
        'create temporary table x ()',
        'set role qs',
        'create role x',
      ],
      ...[`alter role qs password 'x'`, `select pg_read_file('PG_VERSION')`, 'select lo_creat(-1)'],
      `copy events to program 'cat'`,
    ]
    for (const role of SERVICES) {
      const client = await session(t, urlOf(role))
      for (const sql of [...refused[role], ...ofAll])
        await assert.rejects(client.query(sql), { code: '42501' }, `${role}: ${sql}`)
    }
    await owner.query('create role reader login password $$reader$$')
    const reader = await session(t, urlOf('qs').replace(/\/\/.*@/, '//reader:reader@'))
    await assert.rejects(reader.query('select pg_advisory_lock(1)'), { code: '42501' })
  })

  await t.test(
    'a changed password is read from its file, which only the owner of the data may read',
    async () => {
      const before = SERVICES.map((role) => readFileSync(join(dataDir, FILES[role]), 'utf8').trim())
      for (const role of SERVICES) {
        assert.equal(statSync(join(dataDir, FILES[role])).mode & 0o777, 0o600)
        await owner.query(`alter role ${role} password 'changed @/%'`)
        writeFileSync(join(dataDir, FILES[role]), 'changed @/%\n')
      }
      await owner.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = any($1)`, [
        SERVICES,
      ])
      await publish({ event_id: 'later' })
      await until(() => isStored('later'), 'an event after the change')
      await api('/api/devices/d', json('PATCH', { label: 'after the change' }))
      assert.ok(
        before.every((password) => !output().includes(password)),
        'no password is printed',
      )
    },
  )
})
