import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { leash } from '@qs-telemetry/testing/leash.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { Client } from 'pg'
import { migrate } from '../../packages/qs/src/database/migrate.ts'
import {
  runAs,
  serverAccount,
  serverEnvironment,
  systemDirectory,
} from '../../packages/qs/src/embedded/postgres/postgres-account.ts'
import { postgresBinaries } from '../../packages/qs/src/embedded/postgres/postgres-binaries.ts'

export interface PostgresOptions {
  /** Written as in postgresql.conf; SETTINGS override them. */
  readonly settings?: readonly string[]
  /** Directory of the cluster; default a temporary one. */
  readonly directory?: string
  /** Folder of its programs; default that of `qs up`. */
  readonly bin?: string
  /** Done to the empty database `qs`; default its migration. */
  readonly setUp?: (postgres: Postgres) => Promise<unknown>
}

/** Durable commits; their times are recorded for the witness. */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=on',
  'full_page_writes=on',
  'track_commit_timestamp=on',
  'shared_buffers=64MB',
  'timezone=UTC',
  'restart_after_crash=on',
]

const READY_MS = 60_000

/** The PostgreSQL of one case, with the schema; it can be stopped, killed and started. */
export class Postgres {
  /** For the ingester: owner of the database `qs`, not a superuser. */
  readonly url: string
  /** The superuser's URL of the same database. */
  readonly superUrl: string
  readonly data: string
  readonly port: number
  readonly #start: () => ChildProcess
  readonly #logFile: string
  #server: ChildProcess

  private constructor(port: number, place: { data: string; logFile: string }, start: () => ChildProcess) {
    this.url = `postgresql://qs@127.0.0.1:${port}/qs`
    this.superUrl = `postgresql://postgres@127.0.0.1:${port}/qs`
    this.data = place.data
    this.port = port
    this.#logFile = place.logFile
    this.#start = start
    this.#server = start()
  }

  static async open(t: TestContext, options: PostgresOptions = {}): Promise<Postgres> {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'qs-regression-'))
    const data = join(directory, 'data')
    const account = serverAccount(data)
    const { initdb, postgres } = programs(options.bin, account)
    if (account !== null) chownSync(directory, account.uid, account.gid)
    const how = { ...runAs(account), cwd: directory, env: serverEnvironment }
    const init = '--auth=trust --encoding=UTF8 --no-locale --no-sync -U postgres'.split(' ')
    await promisify(execFile)(initdb, ['-D', data, ...init], how)
    const port = await freePort()
    const settings = [...(options.settings ?? []), ...SETTINGS, `port=${port}`].flatMap((each) => [
      '-c',
      each,
    ])
    const logFile = join(directory, 'log')
    const start = () => {
      const output = openSync(logFile, 'a')
      const server = spawn(postgres, ['-D', data, ...settings], { ...how, stdio: ['ignore', output, output] })
      closeSync(output)
      leash(server)
      return server
    }
    const cluster = new Postgres(port, { data, logFile }, start)
    t.after(async () => {
      await cluster.stop('SIGQUIT')
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
    })
    await cluster.#untilReady('postgres')
    await cluster.query('create role qs login', 'postgres')
    await cluster.query('create database qs owner qs template template0', 'postgres')
    await (options.setUp?.(cluster) ?? migrate(cluster.url))
    return cluster
  }

  get pid(): number {
    return this.#server.pid as number
  }

  get isRunning(): boolean {
    return this.#server.exitCode === null && this.#server.signalCode === null
  }

  log(): string {
    return readFileSync(this.#logFile, 'utf8')
  }

  /** Runs one statement as superuser on a connection of its own. */
  async query(sql: string, database = 'qs'): Promise<readonly Record<string, unknown>[]> {
    const url = new URL(this.superUrl)
    url.pathname = `/${database}`
    const client = new Client({ connectionString: url.href })
    client.on('error', () => {})
    await client.connect()
    try {
      const result = await client.query(sql)
      return (Array.isArray(result) ? result.at(-1) : result).rows
    } finally {
      await client.end()
    }
  }

  /** SIGINT ends all sessions and shuts down cleanly (fast), SIGQUIT leaves the rest to recovery (immediate). */
  async stop(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    if (!this.isRunning) return
    const ended = once(this.#server, 'exit')
    this.#server.kill(signal)
    await ended
  }

  /** Sends SIGKILL to all its processes at once, as a power cut or the OOM killer would. */
  async kill(): Promise<void> {
    if (!this.isRunning) return
    const ended = once(this.#server, 'exit')
    const children = childrenOf(this.#server.pid as number)
    this.#server.kill('SIGKILL')
    for (const pid of children) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It ended by itself.
      }
    }
    await ended
    // A process still running would hold the shared memory and block the next start.
    await until(() => children.every((pid) => !isThere(pid)), 'the processes of PostgreSQL are gone')
  }

  /** Resolves when it accepts connections; after a kill, once it has recovered. */
  async start(): Promise<void> {
    if (this.isRunning) return
    this.#server = this.#start()
    await this.#untilReady('qs')
  }

  async #untilReady(database: string): Promise<void> {
    const ready = async () => {
      if (!this.isRunning) throw new Error(`PostgreSQL does not start:\n${this.log().slice(-2_000)}`)
      return await this.query('select 1', database).catch(() => null)
    }
    await until(ready, 'PostgreSQL takes connections', READY_MS)
  }
}

function programs(bin: string | undefined, account: ReturnType<typeof serverAccount>) {
  if (bin === undefined) return postgresBinaries({ account, systemDirectory })
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
}

function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => stateOf(pid)?.parent === parent)
}

/** The third and fourth field of /proc/[pid]/stat, see proc(5); null if there is no such process. */
function stateOf(pid: number): { readonly state: string; readonly parent: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state, parent: Number(parent) }
  } catch {
    return null
  }
}

/** A zombie counts as gone: it holds nothing. */
function isThere(pid: number): boolean {
  return (stateOf(pid)?.state ?? 'Z') !== 'Z'
}
