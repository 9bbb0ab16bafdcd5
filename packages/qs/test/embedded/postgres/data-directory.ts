import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { startEmbeddedPostgres } from '../../../src/embedded/postgres/embedded-postgres.ts'

/** A directory for one test, removed afterwards. Other accounts may enter it, unlike one from `mktemp -d`. */
export function temporaryDirectory(t: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'qs-test-')))
  chmodSync(directory, 0o755)
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Starts on an empty data directory and stops; returns the directory. */
export async function newDataDirectory(t: TestContext): Promise<string> {
  const dataDir = join(temporaryDirectory(t), 'data')
  const database = await startEmbeddedPostgres({ dataDir, port: await freePort(), log: silentLog().log })
  await database.stop()
  return dataDir
}

export function postmasterPid(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10)
}

export function isRunning(pid: number): boolean {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return status === 0 && !stdout.startsWith('Z')
}
