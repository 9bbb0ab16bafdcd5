import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  PASSWORDS,
  psqlMissing,
  ROLE_VARIABLES,
  type Role,
  runRoles,
  session,
  startLockedCluster,
  urlOf,
} from '@qs-telemetry/testing/roles.ts'
import pg from 'pg'

const ROLES = Object.keys(PASSWORDS) as Role[]

test('roles.sh creates roles that log in with their passwords, can run again, and logs no password', {
  skip: psqlMissing,
}, async (t) => {
  const settings = ['log_statement=all', 'log_min_duration_statement=0']
  const cluster = await startLockedCluster(t, { settings })
  for (const run of ['first', 'second']) {
    const { code, output } = await runRoles(cluster)
    assert.equal(code, 0, `${run}: ${output}`)
    for (const role of ROLES) {
      const client = await session(t, urlOf(cluster, role))
      const { rows } = await client.query('select current_user as role')
      assert.deepEqual(rows, [{ role }])
      assert.ok(!output.includes(PASSWORDS[role]), 'the output contains a password')
    }
  }
  assert.match(cluster.log(), /select current_user as role/, 'the log has statements')
  for (const tail of ['wner"', 'in;gest', 'gra--fana'])
    assert.ok(!cluster.log().includes(tail), `the log contains a password: ${tail}`)
})

test('a new password replaces the old one, and extra rights are revoked', {
  skip: psqlMissing,
}, async (t) => {
  const cluster = await startLockedCluster(t)
  await runRoles(cluster)
  const superuser = await session(t, cluster.url)
  await superuser.query('alter role grafana superuser connection limit -1')
  assert.equal((await runRoles(cluster, { ...ROLE_VARIABLES, GRAFANA_DB_PASSWORD: 'new' })).code, 0)
  await assert.rejects(session(t, urlOf(cluster, 'grafana')), { code: '28P01' })
  await session(t, urlOf(cluster, 'grafana', 'new'))
  const { rows } = await superuser.query(
    `select rolname, rolsuper, rolcreaterole, rolcreatedb, rolconnlimit from pg_roles
     where rolname in ('qs', 'qs_ingester', 'grafana') order by rolname`,
  )
  const plain = { rolsuper: false, rolcreaterole: false, rolcreatedb: false }
  assert.deepEqual(rows, [
    { rolname: 'grafana', ...plain, rolconnlimit: 20 },
    { rolname: 'qs', ...plain, rolconnlimit: -1 },
    { rolname: 'qs_ingester', ...plain, rolconnlimit: 60 },
  ])
})

test('a missing password is named and nothing is changed', { skip: psqlMissing }, async (t) => {
  const cluster = await startLockedCluster(t)
  const needed = Object.keys(ROLE_VARIABLES).filter((name) => name !== 'CONSOLE_DB_PASSWORD')
  for (const name of needed) {
    const { code, output } = await runRoles(cluster, { ...ROLE_VARIABLES, [name]: '' })
    assert.equal(code, 1)
    assert.match(output, new RegExp(`${name} is not set`))
  }
  const superuser = await session(t, cluster.url)
  const { rows } = await superuser.query(
    `select from pg_roles where rolname in ('qs', 'qs_ingester', 'qs_console', 'grafana')`,
  )
  assert.equal(rows.length, 0)
})

test('without a console its role cannot log in', { skip: psqlMissing }, async (t) => {
  const cluster = await startLockedCluster(t)
  const { code, output } = await runRoles(cluster, { ...ROLE_VARIABLES, CONSOLE_DB_PASSWORD: '' })
  assert.equal(code, 0, output)
  await assert.rejects(session(t, urlOf(cluster, 'qs_console')), /qs_console/)
})

test('the right to create roles and databases is enough, a superuser is not needed', {
  skip: psqlMissing,
}, async (t) => {
  const cluster = await startLockedCluster(t)
  const superuser = await session(t, cluster.url)
  await superuser.query(`create role admin login createrole createdb password 'admin'`)
  const admin = { ...ROLE_VARIABLES, PGUSER: 'admin', PGPASSWORD: 'admin' }
  for (const run of ['first', 'second']) {
    const { code, output } = await runRoles(cluster, admin)
    assert.equal(code, 0, `${run}: ${output}`)
  }
  for (const role of ROLES) await session(t, urlOf(cluster, role))
})

test('the ingester and grafana reach no other database of the container', {
  skip: psqlMissing,
}, async (t) => {
  const cluster = await startLockedCluster(t)
  // As set by the image.
  assert.equal((await runRoles(cluster, { ...ROLE_VARIABLES, POSTGRES_USER: 'postgres' })).code, 0)
  for (const role of ['qs_ingester', 'grafana'] as const) {
    for (const database of ['postgres', 'template1']) {
      const url = new URL(urlOf(cluster, role))
      url.pathname = `/${database}`
      const client = new pg.Client({ connectionString: url.href })
      client.on('error', () => {})
      await assert.rejects(client.connect(), { code: '42501' }, `${role} on ${database}`)
    }
  }
})
