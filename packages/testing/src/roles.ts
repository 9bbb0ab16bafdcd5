import { execFile } from 'node:child_process'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { missing } from './missing.ts'
import { type ClusterOptions, startTestCluster, type TestCluster } from './postgres-cluster.ts'

const SCRIPT = fileURLToPath(new URL('../../../deploy/postgres/roles.sh', import.meta.url))

export const psqlMissing = missing('psql', '--version')

/** Passwords that are hard to quote. */
export const PASSWORDS = {
  qs: `o'wner"\\$x :a`,
  qs_ingester: 'in;gest%er',
  qs_console: 'con so=le',
  grafana: 'gra--fana',
} as const

export type Role = keyof typeof PASSWORDS

export const ROLE_VARIABLES: Readonly<Record<string, string>> = {
  QS_DB_PASSWORD: PASSWORDS.qs,
  INGESTER_DB_PASSWORD: PASSWORDS.qs_ingester,
  CONSOLE_DB_PASSWORD: PASSWORDS.qs_console,
  GRAFANA_DB_PASSWORD: PASSWORDS.grafana,
}

/** Only the superuser may connect without a password. */
const HBA = ['host all postgres 127.0.0.1/32 trust', 'host all all 127.0.0.1/32 scram-sha-256']

/** A cluster without the roles yet. The caller stops it. */
export function lockedCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  return startTestCluster({ superuser: 'postgres', hba: HBA, ...options })
}

/** The same, stopped after the test. */
export async function startLockedCluster(t: TestContext, options: ClusterOptions = {}): Promise<TestCluster> {
  const cluster = await lockedCluster(options)
  t.after(() => cluster.stop())
  return cluster
}

/** Runs the unchanged roles.sh with only these variables. */
export async function runRoles(
  { port }: Pick<TestCluster, 'port'>,
  variables: Readonly<Record<string, string>> = ROLE_VARIABLES,
): Promise<{ readonly code: number; readonly output: string }> {
  const PATH = process.env.PATH ?? ''
  const env = { PATH, PGHOST: '127.0.0.1', PGPORT: String(port), ...variables }
  try {
    const { stdout, stderr } = await promisify(execFile)('sh', [SCRIPT], { env })
    return { code: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, output: stdout + stderr }
  }
}

/** The database `qs` as one of the roles, with its password. */
export function urlOf(
  { port }: Pick<TestCluster, 'port'>,
  role: Role,
  password: string = PASSWORDS[role],
): string {
  return `postgresql://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/qs`
}

/** A session that lasts as long as the test. */
export async function session(t: TestContext, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end())
  return client
}
