import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { Client } from 'pg'
import { migrate } from '../../qs/src/database/migrate.ts'
import { atEnd } from './at-end.ts'
import { startTestCluster, type TestCluster } from './postgres-cluster.ts'

let cluster: Promise<TestCluster> | undefined
const undropped = new Set<() => Promise<void>>()

atEnd(async () => {
  await Promise.all([...undropped].map((drop) => drop()))
  await (await cluster)?.stop()
})

/**
 * A fresh, empty database, and its URL. Its cluster is the one of `QS_TEST_DATABASE_URL` (a superuser's URL)
 * or, without that, one for this process, started on first use (about a second).
 *
 * `t.after` hooks run in the order of registration, so a drop in a hook here would cut the connections of a
 * pool that the test is about to close. The database is dropped after the last test of the file; or a second
 * after its own test, by force, if a failed test left a pool open that would keep the file from ending.
 */
export function freshDatabase(t: TestContext): Promise<string> {
  return createDatabase(t, 'template0')
}

/**
 * Likewise with all migrations. `npm test` applies them once, to a database of which this one is a copy: half the time
 * of an empty database and its migrations.
 */
export async function migratedDatabase(t: TestContext): Promise<string> {
  const template = process.env.QS_TEST_TEMPLATE
  const url = await createDatabase(t, template ?? 'template0')
  if (template === undefined) await migrate(url)
  return url
}

async function createDatabase(t: TestContext, template: string): Promise<string> {
  const admin = process.env.QS_TEST_DATABASE_URL ?? (await ownCluster()).url
  const name = `qs_test_${randomUUID().replaceAll('-', '')}`
  // Its files are copied: 36 to 49 ms of CPU, and 57 to 106 ms through the WAL, the default.
  await run(admin, `create database ${name} template ${template} strategy file_copy`)
  const drop = async () => {
    if (undropped.delete(drop)) await run(admin, `drop database ${name} with (force)`)
  }
  undropped.add(drop)
  t.after(() => {
    setTimeout(drop, 1_000).unref()
  })
  const url = new URL(admin)
  url.pathname = `/${name}`
  return url.href
}

function ownCluster(): Promise<TestCluster> {
  cluster ??= startTestCluster()
  return cluster
}

async function run(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
