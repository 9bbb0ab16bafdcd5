import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePort } from './free-port.ts'
import { leash } from './leash.ts'
import { until } from './until.ts'

export interface Mosquitto {
  readonly url: string
  readonly port: number
  readonly wsUrl: string
  /**
   * SIGTERM by default, which saves the store; SIGKILL loses what was not saved. Resolves when it has ended.
   */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on the same ports and the same store; stops it first (SIGTERM) where it still runs. */
  restart(): Promise<void>
}

export interface MosquittoOptions {
  /** Lines that follow ours and override them, e.g. `max_packet_size 2000`. */
  readonly config?: readonly string[]
  readonly port?: number
}

/** Debian keeps it in sbin, which is not in everybody's PATH. */
const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin`

/** Why tests with Mosquitto are skipped, or false. In CI it is never missing silently. */
export const mosquittoMissing: string | false = (() => {
  if (spawnSync('mosquitto', ['-h'], { env: { PATH } }).error === undefined) return false
  if (process.env.CI) throw new Error('mosquitto is not installed, and CI must not skip its tests')
  return 'mosquitto is not installed'
})()

/** A Mosquitto of its own for one test, on 127.0.0.1, stopped after the test. */
export async function startMosquitto(t: TestContext, options: MosquittoOptions = {}): Promise<Mosquitto> {
  const directory = mkdtempSync(join(tmpdir(), 'qs-mosquitto-'))
  const port = options.port ?? (await freePort())
  const wsPort = await freePort()
  const config = join(directory, 'mosquitto.conf')
  writeFileSync(config, [...settings(directory, port, wsPort), ...(options.config ?? []), ''].join('\n'))

  let server: ChildProcess
  const start = async () => {
    server = spawn('mosquitto', ['-c', config], { env: { PATH }, stdio: 'ignore' })
    leash(server)
    const ready = async () => {
      if (server.exitCode !== null || server.signalCode !== null) {
        throw new Error(`mosquitto did not start:\n${readFileSync(join(directory, 'log'), 'utf8')}`)
      }
      return (await accepts(port)) && (await accepts(wsPort))
    }
    await until(ready, `mosquitto accepts connections on ${port} and ${wsPort}`)
  }
  const kill = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
    server.kill(signal)
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await ended
  }
  t.after(async () => {
    await kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })
  await start()

  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    wsUrl: `ws://127.0.0.1:${wsPort}`,
    kill,
    restart: async () => {
      await kill()
      await start()
    },
  }
}

function settings(directory: string, port: number, wsPort: number): readonly string[] {
  return [
    // Started by root it would change to an account that cannot write here.
    `user ${userInfo().username}`,
    `log_dest file ${join(directory, 'log')}`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${directory}/`,
    'max_queued_messages 1000000',
    'max_inflight_messages 65535',
    'max_keepalive 65535',
    `listener ${port} 127.0.0.1`,
    `listener ${wsPort} 127.0.0.1`,
    'protocol websockets',
  ]
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
