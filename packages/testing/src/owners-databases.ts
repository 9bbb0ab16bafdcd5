import type { TestContext } from 'node:test'
import { migrate } from '../../qs/src/database/migrate.ts'
import type { TestCluster } from './postgres-cluster.ts'
import { session, urlOf } from './roles.ts'

const TEMPLATE = 'migrated'
const templates = new WeakMap<TestCluster, Promise<string>>()

/** An empty database of the owner `qs`, in a cluster with the roles, and its URL. */
export function freshTarget(t: TestContext, cluster: TestCluster): Promise<string> {
  return create(t, cluster, `target_${process.hrtime.bigint()}`)
}

/** Likewise with all migrations: a copy of one that was migrated once for the cluster, by its owner. */
export async function migratedTarget(t: TestContext, cluster: TestCluster): Promise<string> {
  const template = templates.get(cluster) ?? createTemplate(t, cluster)
  templates.set(cluster, template)
  return create(
    t,
    cluster,
    `migrated_${process.hrtime.bigint()}`,
    `template ${await template} strategy file_copy`,
  )
}

async function createTemplate(t: TestContext, cluster: TestCluster): Promise<string> {
  await migrate(await create(t, cluster, TEMPLATE))
  return TEMPLATE
}

async function create(t: TestContext, cluster: TestCluster, name: string, copied = ''): Promise<string> {
  const superuser = await session(t, cluster.url)
  await superuser.query(`create database ${name} owner qs ${copied}`)
  const url = new URL(urlOf(cluster, 'qs'))
  url.pathname = `/${name}`
  return url.href
}
