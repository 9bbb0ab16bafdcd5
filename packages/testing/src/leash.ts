import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/**
 * Kills a server of the tests when the test process ends, however it ends: a killed test run must not leave
 * brokers and databases behind. A shell reads from a pipe that only this process holds, so its `read` ends
 * with this process.
 */
export function leash(server: ChildProcess): void {
  if (server.pid === undefined) return
  const script = `trap '' INT TERM HUP; read _; kill -KILL ${server.pid}`
  const watchdog = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] })
  watchdog.on('error', () => {})
  watchdog.stdin.on('error', () => {})
  server.once('exit', () => watchdog.kill('SIGKILL'))
  watchdog.unref()
  const pipe = watchdog.stdin as Socket
  pipe.unref()
}
