import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { shippedSettings } from '@qs-telemetry/testing/mosquitto.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { type Child, startChild } from './child.ts'

export interface Broker {
  readonly port: number
  readonly url: string
  readonly child: Child
  /** Whether this client has subscribed to something. */
  hasSubscriber(clientId: string): boolean
}

/** Debian installs it in sbin, which is not in every user's PATH. */
const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin`

/** @throws if it is not installed */
export function mosquittoVersion(): string {
  const { error, stdout } = spawnSync('mosquitto', ['-h'], { env: { PATH }, encoding: 'utf8' })
  if (error) throw new Error('Mosquitto is not installed. Debian and Ubuntu: apt install mosquitto')
  return /version (\S+)/.exec(stdout)?.[1] ?? 'unknown'
}

/** The configuration of deploy/mosquitto, but with a loopback listener without passwords. */
function configuration(port: number, directory: string): readonly string[] {
  return [
    ...shippedSettings(),
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    // Started by root, it would switch to an account that cannot write here.
    `user ${userInfo().username}`,
    `persistence_location ${directory}/`,
    // Logs each subscription, which shows when a subject is ready.
    'log_type subscribe',
  ]
}

export interface BrokerOptions {
  /** For its store, its configuration and its log; created here. */
  readonly directory: string
  readonly signal: AbortSignal
}

/** Starts Mosquitto with an empty store. */
export async function startBroker({ directory, signal }: BrokerOptions): Promise<Broker> {
  mkdirSync(directory)
  const port = await freePort()
  const file = join(directory, 'mosquitto.conf')
  writeFileSync(file, `${configuration(port, directory).join('\n')}\n`)
  const child = startChild({
    name: 'mosquitto',
    command: ['mosquitto', '-c', file],
    env: { PATH },
    directory,
    logFile: join(directory, 'mosquitto.log'),
  })
  try {
    const isReady = () => {
      signal.throwIfAborted()
      child.check()
      return accepts(port)
    }
    await until(isReady, 'mosquitto accepts connections')
  } catch (error) {
    await child.stop()
    throw error
  }
  const hasSubscriber = (clientId: string) => child.output().includes(`: ${clientId} 1 `)
  return { port, url: `mqtt://127.0.0.1:${port}`, child, hasSubscriber }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
