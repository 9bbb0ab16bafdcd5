import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import {
  runAs,
  serverAccount,
  serverEnvironment,
  systemDirectory,
} from '../../src/database/postgres-account.ts'
import { postgresBinaries } from '../../src/database/postgres-binaries.ts'
import { freePort } from './free-port.ts'
import { leash } from './leash.ts'
import { until } from './until.ts'

export interface TestCluster {
  /** The superuser's. */
  readonly url: string
  stop(): Promise<void>
}

const INIT = '--username=qs --auth=trust --encoding=UTF8 --no-locale --locale-provider=builtin'.split(' ')

/** Nothing in a test cluster has to survive the machine: without fsync tests do not wait for the disk. */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=off',
  'full_page_writes=off',
  'max_connections=200',
  'shared_buffers=64MB',
  'timezone=UTC',
]

/** A PostgreSQL for tests from the embedded binaries, in a temporary directory; about a second. */
export async function startTestCluster(): Promise<TestCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'qs-postgres-'))
  const data = join(directory, 'data')
  const account = serverAccount(data)
  const { initdb, postgres } = postgresBinaries({ account, systemDirectory })
  if (account !== null) chownSync(directory, account.uid, account.gid)
  const process = { ...runAs(account), cwd: directory, env: serverEnvironment }
  await promisify(execFile)(initdb, ['-D', data, '--no-sync', '--builtin-locale=C.UTF-8', ...INIT], process)

  const port = await freePort()
  const settings = [...SETTINGS, `port=${port}`].flatMap((setting) => ['-c', setting])
  const server = spawn(postgres, ['-D', data, ...settings], { ...process, stdio: 'ignore' })
  leash(server)
  // A running child would keep the event loop alive, and the hooks that stop it wait for the loop to end.
  server.unref()

  const url = `postgresql://qs@127.0.0.1:${port}/postgres`
  const ready = async () => {
    if (server.exitCode !== null) throw new Error(`postgres ended with exit code ${server.exitCode}`)
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
  return { url, stop }
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
