import { mkdirSync, realpathSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { passwordFile, readPassword, urlWithPassword } from '../../endpoints/embedded-database-url.ts'
import { QsError } from '../../errors/qs-error.ts'
import type { Log } from '../../telemetry/log.ts'
import { clusterPath, placeCluster } from './cluster-place.ts'
import { type ClusterOptions, clusterMajor, createCluster, setPassword } from './create-cluster.ts'
import { readMachine } from './machine.ts'
import { stopOrphan } from './orphaned-postgres.ts'
import { serverAccount, systemDirectory } from './postgres-account.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { keepPassword, newPassword } from './postgres-password.ts'
import { PostgresServer } from './postgres-server.ts'
import { requiredSettings } from './postgres-settings.ts'
import { type Patiently, setUpServiceRoles } from './service-roles.ts'
import { tunedSettings } from './tuned-settings.ts'
import { writeTuning } from './tuning-file.ts'

export interface EmbeddedPostgresOptions {
  /** `QS_DATA_DIR`; the caller holds its lock. */
  readonly dataDir: string
  readonly port: number
  readonly log: Log
  /** Default: a step is tried once. */
  readonly patiently?: Patiently
}

export interface EmbeddedPostgres {
  /** URL of the owner and superuser: `postgresql://qs:<password>@127.0.0.1:<port>/qs` */
  readonly url: string
  stop(): Promise<void>
}

/**
 * A real PostgreSQL in the data directory: created on the first start, kept running until `stop()`, intact after any
 * kill -9. Resolves when the database `qs` answers and the roles of ingester and console exist.
 *
 * @throws an error that says what to do, if the port is in use, the data is of another major version, or it does not
 * start
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { port, log, patiently = (step) => step() } = options
  mkdirSync(options.dataDir, { recursive: true })
  // The real path, by which an orphan is recognised on its command line.
  const dataDir = realpathSync(options.dataDir)
  const account = serverAccount(clusterPath(dataDir))
  const binaries = postgresBinaries({ account, systemDirectory })
  const cluster = placeCluster(account, { dataDir, systemDirectory, log })

  checkMajor(cluster, binaries.major)
  await stopOrphan(cluster, log)
  await checkPort(port)
  const url = urlWithPassword('qs', await ensureCluster(dataDir, { cluster, account, binaries }, log), port)
  writeTuning(tunedSettings(readMachine(cluster)), { cluster, account, log })
  const server = new PostgresServer({
    command: [binaries.postgres, '-D', cluster, ...requiredSettings(port)],
    cluster,
    account,
    url,
    passwordFile: passwordFile(dataDir),
    logFile: join(dataDir, 'postgres.log'),
    log,
  })
  await server.start()
  try {
    await setUpServiceRoles(url, dataDir, patiently)
  } catch (error) {
    await server.stop()
    throw error
  }
  log.info({ port, version: binaries.version }, `PostgreSQL ${binaries.version} runs on 127.0.0.1:${port}`)
  return { url, stop: () => server.stop() }
}

/**
 * Creates the cluster and the password if missing. The password file is written last, so that an existing one is
 * correct.
 */
async function ensureCluster(dataDir: string, options: ClusterOptions, log: Log): Promise<string> {
  const exists = clusterMajor(options.cluster) !== null
  const kept = exists ? readPassword(dataDir) : null
  if (kept !== null) return kept
  const password = newPassword()
  if (exists) {
    log.warn(`${passwordFile(dataDir)} was missing: setting a new password`)
    setPassword(password, options)
  } else {
    log.info(`creating a new database in ${options.cluster}`)
    await createCluster(password, options)
  }
  keepPassword(dataDir, password)
  return password
}

function checkMajor(cluster: string, major: number): void {
  const made = clusterMajor(cluster)
  if (made === null || made === major) return
  throw new QsError(
    'POSTGRES_MAJOR',
    `The data in ${cluster} is of PostgreSQL ${made}, but this qs includes PostgreSQL ${major}, which cannot read it`,
  )
}

function checkPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error)
      reject(
        new QsError('PORT_IN_USE', `Port ${port} on 127.0.0.1 is in use (POSTGRES_PORT)`, { cause: error }),
      )
    })
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()))
  })
}
