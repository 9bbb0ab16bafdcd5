import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTestCluster } from '@qs-telemetry/testing/postgres-cluster.ts'
import { Client } from 'pg'
import { migrate } from '../packages/qs/src/database/migrate.ts'

/** Starts the cluster that the tests share, runs node's test runner on the files, and stops it again. */
const files = process.argv.slice(2)
/** For each file; a long fuzz run sets more. */
const timeoutMs = Number(process.env.TEST_TIMEOUT_MS ?? 480_000)
/** Data directories that startTestCluster copies. */
const clusters = mkdtempSync(join(tmpdir(), 'qs-clusters-'))
// The account of PostgreSQL reads them.
chmodSync(clusters, 0o755)
process.env.QS_TEST_CLUSTERS = clusters
const cluster = await startTestCluster()
const template = await createTemplate(cluster.url)
const runner = spawn(
  process.execPath,
  [
    '--enable-source-maps',
    '--test',
    `--test-concurrency=${availableParallelism() * 2}`,
    '--test-reporter=spec',
    `--test-timeout=${4 * timeoutMs}`,
    ...files,
  ],
  // Always without colour: the tests read what commands print.
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      TEST_TIMEOUT_MS: String(timeoutMs),
      NO_COLOR: '1',
      QS_TEST_DATABASE_URL: cluster.url,
      QS_TEST_TEMPLATE: template,
    },
  },
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal))
runner.on('exit', async (code) => {
  await cluster.stop()
  rmSync(clusters, { recursive: true, force: true })
  process.exit(code ?? 1)
})

/** The template of most test databases: migrated once instead of once per test. */
async function createTemplate(clusterUrl: string): Promise<string> {
  const name = 'qs_template'
  const admin = new Client({ connectionString: clusterUrl })
  await admin.connect()
  await admin.query(`create database ${name} template template0`)
  await admin.end()
  const url = new URL(clusterUrl)
  url.pathname = `/${name}`
  await migrate(url.href)
  return name
}
