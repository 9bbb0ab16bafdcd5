import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { debianBin } from '@qs-telemetry/testing/debian-postgres.ts'
import { migrate } from '../../packages/qs/src/database/migrate.ts'
import { FaultProxy, type ProxyObserver } from '../../packages/qs/src/verify/fault-proxy.ts'
import { Postgres, type PostgresOptions } from '../integrity/postgres.ts'

const BIN = debianBin()
const LIBRARY = join(BIN, '..', 'lib', 'citus.so')
const DISTRIBUTE = fileURLToPath(new URL('../../deploy/citus/distribute.sql', import.meta.url))
const WORKERS = 2

/** Why its cases are skipped, or false: no registry has Citus. */
export const citusMissing = existsSync(LIBRARY) ? false : `there is no Citus: ${LIBRARY}`

/** What Citus needs on every node (its documentation, "Multi-node setup"). */
const NODE: PostgresOptions = {
  bin: BIN,
  settings: [
    'shared_preload_libraries=citus',
    'max_prepared_transactions=200',
    'max_connections=200',
    'citus.node_conninfo=sslmode=prefer',
    // The proxies between the nodes answer TCP's keepalives, for a coordinator that is gone too.
    'idle_in_transaction_session_timeout=10s',
  ],
  setUp: (node) => node.query('create extension citus'),
}

/** A coordinator and two workers with the schema, distributed as documented. */
export class Citus {
  readonly coordinator: Postgres
  readonly workers: readonly Postgres[]
  /** Between the coordinator and each worker. */
  readonly links: readonly FaultProxy[]

  private constructor(coordinator: Postgres, workers: readonly Postgres[], links: readonly FaultProxy[]) {
    this.coordinator = coordinator
    this.workers = workers
    this.links = links
  }

  /** @param observe called with what passes between the coordinator and the first worker */
  static async open(t: TestContext, observe?: ProxyObserver): Promise<Citus> {
    const workers = await Promise.all(Array.from({ length: WORKERS }, () => Postgres.open(t, NODE)))
    const coordinator = await Postgres.open(t, NODE)
    await coordinator.query(`select citus_set_coordinator_host('127.0.0.1', ${coordinator.port})`)
    const links = await Promise.all(
      workers.map((worker, n) => linkTo(t, worker, n === 0 ? observe : undefined)),
    )
    for (const { port } of links) await coordinator.query(`select citus_add_node('127.0.0.1', ${port})`)
    await migrate(coordinator.url)
    const distribute = ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--single-transaction']
    await promisify(execFile)(join(BIN, 'psql'), [coordinator.url, ...distribute, `--file=${DISTRIBUTE}`])
    return new Citus(coordinator, workers, links)
  }
}

async function linkTo(t: TestContext, { port }: Postgres, observe?: ProxyObserver): Promise<FaultProxy> {
  const link = await FaultProxy.start({ host: '127.0.0.1', port }, observe)
  t.after(() => link.close())
  return link
}
