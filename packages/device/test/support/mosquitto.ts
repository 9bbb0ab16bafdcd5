import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@qs-telemetry/testing/free-port.ts'

const COMMAND = 'mosquitto'
// Debian installs it outside a user's PATH.
const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin`

/** A separate broker, in a child process. */
export interface Mosquitto {
  readonly url: string
  /** kill -9 and a restart on the same port: every connection and session is lost. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/**
 * Why tests that need Mosquitto are skipped, or false if it is installed.
 *
 * @throws Error in CI, where these tests must not be skipped.
 */
export function skipWithoutMosquitto(): string | false {
  if (spawnSync(COMMAND, ['-h'], { env: { PATH } }).error === undefined) return false
  if (process.env.CI) throw new Error('Mosquitto is not installed, and CI must not skip these tests')
  return 'Mosquitto is not installed (apt install mosquitto)'
}

export async function startMosquitto(): Promise<Mosquitto> {
  const directory = mkdtempSync(join(tmpdir(), 'qs-device-'))
  const port = await freePort()
  const config = join(directory, 'mosquitto.conf')
  writeFileSync(
    config,
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 100000\nset_tcp_nodelay true\n`,
  )
  let child = await run(config)
  // A test that ends early must not leave a broker behind.
  process.once('exit', () => child.kill('SIGKILL'))
  const kill = async () => {
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
  return {
    url: `mqtt://127.0.0.1:${port}`,
    async restart() {
      await kill()
      child = await run(config)
    },
    async stop() {
      await kill()
      rmSync(directory, { recursive: true })
    },
  }
}

/** Resolves when it logs that it runs; by then it listens. */
async function run(config: string) {
  const child = spawn(COMMAND, ['-c', config, '-v'], { env: { PATH }, stdio: ['ignore', 'ignore', 'pipe'] })
  await new Promise<void>((resolve, reject) => {
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => {
      if (log.length < 10_000) log += chunk.toString()
      if (/mosquitto version \S+ running/.test(log)) resolve()
    })
    child.once('exit', () => reject(new Error(`Mosquitto did not start:\n${log}`)))
  })
  return child
}
