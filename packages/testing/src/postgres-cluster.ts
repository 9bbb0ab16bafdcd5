import { type ExecFileOptions, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import {
  type Account,
  runAs,
  serverAccount,
  serverEnvironment,
  systemDirectory,
} from '../../qs/src/embedded/postgres/postgres-account.ts'
import { postgresBinaries } from '../../qs/src/embedded/postgres/postgres-binaries.ts'
import { freePort } from './free-port.ts'
import { leash } from './leash.ts'
import { until } from './until.ts'

export interface TestCluster {
  /** The superuser's URL. */
  readonly url: string
  readonly port: number
  /** What the server wrote to its log. */
  log(): string
  stop(): Promise<void>
}

export interface ClusterOptions {
  /** The folder of initdb and postgres. Default: the embedded ones, not those of the system. */
  readonly bin?: string
  readonly superuser?: string
  /** The folder in which its own is made. Default: that for temporary files. */
  readonly parent?: string
  /** Lines of pg_hba.conf. Default: everyone may connect. */
  readonly hba?: readonly string[]
  readonly settings?: readonly string[]
}

const INIT = '--auth=trust --encoding=UTF8 --no-locale'.split(' ')

/** Nothing in a test cluster must survive a crash: without fsync tests do not wait for the disk. */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=off',
  'full_page_writes=off',
  'max_connections=200',
  'shared_buffers=64MB',
  'timezone=UTC',
]

/** A PostgreSQL for tests in a temporary directory; about a second. */
export async function startTestCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const { superuser = 'qs', parent = tmpdir() } = options
  const directory = mkdtempSync(join(parent, 'qs-postgres-'))
  const data = join(directory, 'data')
  const account = serverAccount(data)
  const { initdb, postgres, init } = programs(options.bin, account)
  if (account !== null) chownSync(directory, account.uid, account.gid)
  const asAccount = { ...runAs(account), cwd: directory, env: serverEnvironment }
  await initialize(data, [initdb, '--no-sync', '-U', superuser, ...INIT, ...init], asAccount)
  if (options.hba !== undefined) writeFileSync(join(data, 'pg_hba.conf'), `${options.hba.join('\n')}\n`)

  const port = await freePort()
  const settings = [...SETTINGS, ...(options.settings ?? []), `port=${port}`].flatMap((each) => ['-c', each])
  const logFile = join(directory, 'log')
  const output = openSync(logFile, 'a')
  const server = spawn(postgres, ['-D', data, ...settings], {
    ...asAccount,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  leash(server)
  // A running child would keep the event loop alive, and the hooks that stop it wait for the loop to end.
  server.unref()

  const log = () => readFileSync(logFile, 'utf8')
  const url = `postgresql://${superuser}@127.0.0.1:${port}/postgres`
  const ready = async () => {
    if (server.exitCode !== null)
      throw new Error(`postgres ended with exit code ${server.exitCode}:\n${log()}`)
    return await answers(url)
  }
  await until(ready, 'the test cluster accepts connections', 30_000)

  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.ref()
      const ended = once(server, 'exit')
      server.kill('SIGQUIT')
      await ended
    }
    rmSync(directory, { recursive: true, force: true })
  }
  return { url, port, log, stop }
}

/** initdb takes a second of CPU, a copy of what it made for another test a tenth. */
async function initialize(
  data: string,
  [initdb = '', ...args]: readonly string[],
  account: ExecFileOptions,
): Promise<void> {
  const run = promisify(execFile)
  const { QS_TEST_CLUSTERS: folder } = process.env
  if (folder === undefined) return void (await run(initdb, ['-D', data, ...args], account))
  const kept = join(
    folder,
    createHash('sha256')
      .update([initdb, ...args].join(' '))
      .digest('hex'),
  )
  if (!existsSync(kept)) {
    await run(initdb, ['-D', `${data}-kept`, ...args], account)
    // Fails for the second of two tests that start at once, whose own is as good, and on another file system.
    await rename(`${data}-kept`, kept).catch(() => {})
  }
  await run('cp', ['-R', existsSync(kept) ? kept : `${data}-kept`, data], account)
}

function programs(bin: string | undefined, account: Account | null) {
  if (bin !== undefined)
    return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), init: [] as string[] }
  const { initdb, postgres } = postgresBinaries({ account, systemDirectory })
  return { initdb, postgres, init: ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end()
  }
}
