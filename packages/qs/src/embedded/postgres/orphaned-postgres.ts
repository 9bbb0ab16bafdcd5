import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { QsError } from '../../errors/qs-error.ts'
import type { Log } from '../../telemetry/log.ts'
import { commandLine, processIdentity, workingDirectory } from './process-identity.ts'

const FAST_SHUTDOWN_MS = 20_000
const IMMEDIATE_SHUTDOWN_MS = 10_000

/**
 * After kill -9 of qs, its PostgreSQL keeps running and holds port and cluster. It is stopped rather than adopted,
 * since qs can supervise and configure only its own child process.
 *
 * `postmaster.pid` names it, or a process that is gone, or an unrelated one, since pids are reused. Only a postgres of
 * this cluster is touched. The caller holds the lock of the data directory, so no other qs owns it.
 */
export async function stopOrphan(cluster: string, log: Log): Promise<void> {
  const pid = postmasterPid(cluster)
  if (pid === null || processIdentity(pid) === null) return
  if (!isPostmasterOf(pid, cluster)) return disownPid(cluster)

  log.warn({ pid }, `PostgreSQL of an earlier qs is still running (pid ${pid}): stopping it`)
  signal(pid, 'SIGINT')
  if (await endsWithin(FAST_SHUTDOWN_MS, pid, cluster)) return
  signal(pid, 'SIGQUIT')
  if (await endsWithin(IMMEDIATE_SHUTDOWN_MS, pid, cluster)) return
  throw new QsError(
    'POSTGRES_START_FAILED',
    `PostgreSQL of an earlier qs (pid ${pid}) does not stop. End it with kill -QUIT ${pid}.`,
  )
}

function postmasterPid(cluster: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(join(cluster, 'postmaster.pid'), 'utf8'), 10)
    return pid > 1 ? pid : null
  } catch {
    return null
  }
}

function isPostmasterOf(pid: number, cluster: string): boolean {
  const line = commandLine(pid)
  if (line === null || !/\bpostgres\b/.test(line)) return false
  // It may have been started by hand with another spelling of the path: a postmaster's working directory is its
  // cluster.
  return `${line} `.includes(` -D ${cluster} `) || workingDirectory(pid) === cluster
}

function signal(pid: number, name: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function endsWithin(limitMs: number, pid: number, cluster: string): Promise<boolean> {
  const deadline = performance.now() + limitMs
  while (isPostmasterOf(pid, cluster)) {
    if (performance.now() > deadline) return false
    await wait(20)
  }
  return true
}

/**
 * A running, unrelated process has the pid in the stale file, so postgres would refuse to start. Removing the file
 * would also disable the check for old backends attached to the shared memory it names. Writing the pid of this process
 * keeps that check: a new postgres knows that its parent is not a postmaster.
 */
function disownPid(cluster: string): void {
  const path = join(cluster, 'postmaster.pid')
  const [, ...rest] = readFileSync(path, 'utf8').split('\n')
  // As root in a folder of another account: never follow a link.
  const file = openSync(path, constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW)
  try {
    writeSync(file, [process.pid, ...rest].join('\n'))
  } finally {
    closeSync(file)
  }
}
