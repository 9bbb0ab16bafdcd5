import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { migrate } from '../../packages/qs/src/database/migrate.ts'
import { clusterPath } from '../../packages/qs/src/embedded/postgres/cluster-place.ts'
import { startEmbeddedPostgres } from '../../packages/qs/src/embedded/postgres/embedded-postgres.ts'
import { createLog } from '../../packages/qs/src/telemetry/log.ts'
import { queryRow } from './query-row.ts'

export interface Database {
  readonly version: string
  readonly pid: number
  /** Result of `SHOW` for the settings that make a COMMIT durable. */
  readonly durability: Readonly<Record<string, string>>
  /** Creates an empty database with the schema, then a checkpoint, so that all scenarios start alike. */
  fresh(name: string): Promise<string>
  drop(name: string): Promise<void>
  stop(): Promise<void>
}

const DURABLE = ['fsync', 'synchronous_commit', 'full_page_writes']

/**
 * Starts the PostgreSQL that comes with `qs up`, with its settings, in a new cluster.
 *
 * @throws if a COMMIT would not be durable: such figures mean nothing
 */
export async function startDatabase(directory: string): Promise<Database> {
  mkdirSync(directory, { mode: 0o755 })
  const server = await startEmbeddedPostgres({
    dataDir: directory,
    port: await freePort(),
    log: createLog('warn'),
  })
  const cluster = clusterPath(directory)
  const stop = async () => {
    await server.stop()
    // The cluster is elsewhere if PostgreSQL's account cannot enter the directory.
    rmSync(cluster, { recursive: true, force: true })
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const durability: Record<string, string> = {}
    for (const name of DURABLE) durability[name] = (await queryRow(server.url, `show ${name}`))[name] ?? ''
    const off = DURABLE.filter((name) => durability[name] !== 'on')
    if (off.length > 0)
      throw new Error(`PostgreSQL runs without ${off.join(', ')}: figures would mean nothing`)
    return {
      version: (await queryRow(server.url, 'show server_version')).server_version ?? 'unknown',
      pid: postmasterPid(cluster),
      durability,
      fresh: async (name) => {
        await queryRow(server.url, `create database "${name}" template template0`)
        const url = new URL(server.url)
        url.pathname = `/${name}`
        await migrate(url.href)
        await queryRow(server.url, 'checkpoint')
        return url.href
      },
      drop: async (name) => {
        await queryRow(server.url, `drop database if exists "${name}" with (force)`)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function postmasterPid(cluster: string): number {
  const file = join(cluster, 'postmaster.pid')
  if (!existsSync(file)) throw new Error(`PostgreSQL runs, but there is no ${file}`)
  return Number.parseInt(readFileSync(file, 'utf8'), 10)
}
