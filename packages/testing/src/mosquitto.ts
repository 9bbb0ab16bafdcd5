import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
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
  /** Of the current process. */
  readonly pid: number
  readonly wsUrl: string
  /** The file with its store: queued messages and sessions. */
  readonly store: string
  /**
   * SIGTERM by default, which saves the store; SIGKILL loses unsaved changes. Resolves when it has ended.
   */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on the same ports and the same store; stops it first (SIGTERM) if it still runs. */
  restart(): Promise<void>
}

export interface MosquittoOptions {
  /** With the settings of deploy/mosquitto/mosquitto.conf instead of those for short tests. */
  readonly isShipped?: true
  /** Lines that follow the default ones and override them, e.g. `max_packet_size 2000`. */
  readonly config?: readonly string[]
  readonly port?: number
}

/** A start takes 50 ms, but took more than 10 s while eight other servers started. */
const START_MS = 60_000

/** Debian installs it in sbin, which is not in every PATH. */
const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin`

/** Why tests with Mosquitto are skipped, or false. In CI they must not be skipped silently. */
export const mosquittoMissing: string | false = (() => {
  if (spawnSync('mosquitto', ['-h'], { env: { PATH } }).error === undefined) return false
  if (process.env.CI) throw new Error('mosquitto is not installed, and CI must not skip its tests')
  return 'mosquitto is not installed'
})()

/** A separate Mosquitto for one test, on 127.0.0.1, stopped after the test. */
export async function startMosquitto(t: TestContext, options: MosquittoOptions = {}): Promise<Mosquitto> {
  const directory = mkdtempSync(join(tmpdir(), 'qs-mosquitto-'))
  const port = options.port ?? (await freePort())
  const wsPort = await freePort()
  const config = join(directory, 'mosquitto.conf')
  const limits = options.isShipped ? shippedSettings() : SETTINGS
  const lines = [...limits, ...places(directory, port, wsPort), ...(options.config ?? []), '']
  writeFileSync(config, lines.join('\n'))

  let server: ChildProcess
  const start = async () => {
    const log = join(directory, 'log')
    // Registered before the start: Mosquitto may log that it runs before this process gets its next turn.
    const before = existsSync(log) ? statSync(log).size : 0
    server = spawn('mosquitto', ['-c', config], { env: { PATH }, stdio: 'ignore' })
    leash(server)
    const ready = async () => {
      const said = existsSync(log) ? readFileSync(log, 'utf8') : ''
      if (server.exitCode !== null || server.signalCode !== null) {
        throw new Error(`mosquitto did not start:\n${said}`)
      }
      // Another server on that port would accept too.
      return said.slice(before).includes(' running') && (await accepts(port)) && (await accepts(wsPort))
    }
    await until(ready, `mosquitto accepts connections on ${port} and ${wsPort}`, START_MS)
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
    get pid() {
      return server.pid ?? 0
    },
    wsUrl: `ws://127.0.0.1:${wsPort}`,
    store: join(directory, 'mosquitto.db'),
    kill,
    restart: async () => {
      await kill()
      await start()
    },
  }
}

const SETTINGS = [
  'persistence true',
  'max_queued_messages 1000000',
  'max_inflight_messages 65535',
  'max_keepalive 65535',
]

/** The settings of deploy/mosquitto/mosquitto.conf except where it writes. */
export function shippedSettings(): readonly string[] {
  const file = new URL('../../../deploy/mosquitto/mosquitto.conf', import.meta.url)
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !/^(persistence_location|log_dest) /.test(line))
}

function places(directory: string, port: number, wsPort: number): readonly string[] {
  return [
    // Started by root, it would switch to an account that cannot write here.
    `user ${userInfo().username}`,
    `log_dest file ${join(directory, 'log')}`,
    // Makes it log that it runs.
    'log_type information',
    'allow_anonymous true',
    `persistence_location ${directory}/`,
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
