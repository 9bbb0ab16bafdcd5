import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Log } from '../../telemetry/log.ts'
import { commandLine, processIdentity, workingDirectory } from './process-identity.ts'

const FAST_SHUTDOWN_MS = 20_000
const IMMEDIATE_SHUTDOWN_MS = 10_000

/**
 * After kill -9 of qs its PostgreSQL lives on, holding port and cluster. It is stopped rather than adopted: a
 * child of ours is one whose end we learn of and whose settings are ours.
 *
 * `postmaster.pid` names it, or a process that is gone, or one that has nothing to do with it because pids
 * are used again. Only a postgres of this cluster is touched. The caller holds the lock of the data
 * directory, so it is nobody else's.
 */
export async function stopOrphan(cluster: string, log: Log): Promise<void> {
  const pid = postmasterPid(cluster)
  if (pid === null || processIdentity(pid) === null) return
  if (!isPostmasterOf(pid, cluster)) return disownPid(cluster)

  log.warn({ pid }, `PostgreSQL of an earlier qs still runs (pid ${pid}): stopping it`)
  signal(pid, 'SIGINT')
  if (await endsWithin(FAST_SHUTDOWN_MS, pid, cluster)) return
  signal(pid, 'SIGQUIT')
  if (await endsWithin(IMMEDIATE_SHUTDOWN_MS, pid, cluster)) return
  throw new Error(`PostgreSQL of an earlier qs (pid ${pid}) does not stop. End it with kill -QUIT ${pid}.`)
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
  // Or somebody started it by hand, with another spelling of the path: a postmaster works in its cluster.
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
 * A living process that is not ours has the pid of the stale file, and postgres would refuse to start because
 * of it. Removing the file would also remove its other check, whether old backends are still attached to the
 * shared memory named in it. Naming ourselves keeps that check: a new postgres knows that its own parent is
 * no postmaster.
 */
function disownPid(cluster: string): void {
  const path = join(cluster, 'postmaster.pid')
  const [, ...rest] = readFileSync(path, 'utf8').split('\n')
  // As root in a folder of another account: never through a link of theirs.
  const file = openSync(path, constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW)
  try {
    writeSync(file, [process.pid, ...rest].join('\n'))
  } finally {
    closeSync(file)
  }
}
