import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findCertificateFiles } from '../certificates/certificate-files.ts'
import { DEFAULT_IN_FLIGHT } from '../config/default-in-flight.ts'
import { MIN_PASSWORD_LENGTH } from '../config/kinds.ts'
import { ConfigError } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { UnhandledTopicLog } from '../console/unhandled-topic-log.ts'
import { type EmbeddedBroker, startEmbeddedBroker } from '../embedded/broker/embedded-broker.ts'
import { lockDataDirectory } from '../embedded/postgres/data-directory-lock.ts'
import { DirectIntake } from '../intake/direct-intake.ts'
import { arrivalCharge } from '../pipeline/charge-devices.ts'
import { SystemClock } from '../pipeline/clock.ts'
import type { DeviceBudgets } from '../pipeline/device-budgets.ts'
import type { Log } from '../telemetry/log.ts'
import { deviceBudgets } from './device-budgets.ts'
import { type Ingester, startIngester } from './ingester.ts'
import { keepLanCertificate } from './lan-certificate.ts'
import { openStackDatabase, type StackDatabase } from './stack-database.ts'

export interface EmbeddedOptions {
  /** Listens on all addresses, for real boards; requires credentials. */
  readonly lan: boolean
  /** Only the TLS ports listen on all addresses, the others on loopback. */
  readonly tlsOnly: boolean
  /** With `lan`: makes the certificate and keeps it current. */
  readonly certificate: boolean
  readonly log: Log
  readonly signal: AbortSignal
}

export interface EmbeddedStack {
  readonly mqttPort: number
  readonly mqttWsPort: number
  /** null: no certificate, so no TLS. */
  readonly mqttTlsPort: number | null
  readonly mqttWssPort: number | null
  readonly database: StackDatabase['shown']
  /** Starts simulated devices. */
  startDemo(): Promise<void>
  readonly failed: Promise<Error>
  stop(): Promise<void>
}

const [ALL, LOOPBACK] = ['0.0.0.0', '127.0.0.1']
/** Enough for any message within the limits, and for the answers. */
export const MAX_PACKET_BYTES = 16 * 1024 * 1024
/** More than twice the largest message that a device may send by default. */
const MAX_REPLY_BYTES = 2 * 1024 * 1024

/**
 * Broker, pipeline, HTTP and, without DATABASE_URL, PostgreSQL in one process and its children. If a part does not
 * start, those before it are stopped in reverse order.
 *
 * @throws Error for the operator: a port in use, a data directory in use, credentials missing
 */
export async function startEmbedded(config: Config, options: EmbeddedOptions): Promise<EmbeddedStack> {
  const { log, lan, tlsOnly, certificate, signal } = options
  const credentials = credentialsOf(config, lan)
  const started: (() => Promise<unknown> | unknown)[] = []
  const stopAll = async () => {
    for (const stop of started.splice(0).reverse()) await stop()
  }
  try {
    mkdirSync(config.QS_DATA_DIR, { recursive: true })
    const lock = lockDataDirectory(config.QS_DATA_DIR)
    started.push(() => lock.release())
    const budgets = deviceBudgets(config)
    const isEvents = (topic: string) => config.MQTT_EVENTS_TOPIC.deviceIdOf(topic) !== null
    const intake = directIntake(config)
    if (lan && certificate) {
      const stopKeeping = await keepLanCertificate(config, { tlsOnly, log: log.child({ stage: 'broker' }) })
      started.push(stopKeeping)
    }
    const files = findCertificateFiles(config)
    if (tlsOnly && files === null) {
      throw new ConfigError([
        '--tls-only needs a certificate: --lan makes one, qs certificate too; or set MQTT_TLS_CERT_FILE and MQTT_TLS_KEY_FILE',
      ])
    }
    const unhandled = new UnhandledTopicLog(config.MQTT_EVENTS_TOPIC)
    const broker = await startEmbeddedBroker({
      host: lan && !tlsOnly ? ALL : LOOPBACK,
      port: config.MQTT_PORT,
      wsPort: config.MQTT_WS_PORT,
      tls: files && {
        ...{ host: lan ? ALL : LOOPBACK, port: config.MQTT_TLS_PORT, wsPort: config.MQTT_WSS_PORT },
        ...files,
      },
      credentials,
      accountsFile: join(config.QS_DATA_DIR, 'mqtt-accounts.json'),
      maxPacketBytes: MAX_PACKET_BYTES,
      charge: arrivalCharge(budgets, (topic) => config.MQTT_EVENTS_TOPIC.deviceIdOf(topic)),
      onPublish: (clientId, publish) => unhandled.came({ clientId, ...publish }, Date.now()),
      limits: {
        maxConnections: config.MQTT_MAX_CONNECTIONS,
        maxPerAddress: config.MQTT_MAX_CONNECTIONS_PER_ADDRESS,
      },
      maxSessionsPerAccount: config.MQTT_MAX_SESSIONS_PER_ACCOUNT,
      events: { intake, isEvents },
      log: log.child({ stage: 'broker' }),
    })
    started.push(() => broker.stop())
    const database = await openStackDatabase(config, { log: log.child({ stage: 'database' }), signal })
    started.push(() => database.stop())
    const ingester = await startPipeline(config, { broker, intake, budgets, unhandled, database }, options)
    started.push(async () => {
      // Simulated devices wait for their device acks, for which the broker must still be running.
      await ingester.simulation?.stop()
      // What is not committed now has no PUBACK: its device keeps it.
      broker.shut()
      await ingester.stop()
    })
    return {
      mqttPort: broker.port,
      mqttWsPort: broker.wsPort,
      mqttTlsPort: broker.tlsPort,
      mqttWssPort: broker.wssPort,
      database: database.shown,
      failed: ingester.failed,
      startDemo: async () => ingester.simulation?.start(),
      stop: stopAll,
    }
  } catch (error) {
    await stopAll()
    throw error
  }
}

/** @returns not yet connected to a pipeline */
export function directIntake({ IN_FLIGHT_MESSAGES: messages, IN_FLIGHT_BYTES: bytes }: Config): DirectIntake {
  return new DirectIntake({
    highWatermark: { messages: messages ?? DEFAULT_IN_FLIGHT.up, bytes },
    clock: new SystemClock(),
    maxPayloadBytes: MAX_REPLY_BYTES,
  })
}

interface Parts {
  readonly broker: EmbeddedBroker
  readonly intake: DirectIntake
  readonly budgets: DeviceBudgets
  readonly unhandled: UnhandledTopicLog
  readonly database: StackDatabase
}

async function startPipeline(
  config: Config,
  parts: Parts,
  { log, signal, lan }: EmbeddedOptions,
): Promise<Ingester> {
  const endpoints = {
    mqttUrl: `mqtt://127.0.0.1:${parts.broker.port}`,
    databaseUrl: parts.database.ingesterUrl,
  }
  const embedded = { lan, ...parts }
  const ingester = await startIngester(config, endpoints, { log, signal, embedded })
  const failure = await Promise.race([ingester.connected.then(() => null), ingester.failed])
  if (failure === null) {
    // The pipeline takes events only now.
    parts.broker.open()
    return ingester
  }
  await ingester.stop()
  throw failure
}

function credentialsOf(config: Config, lan: boolean): { username: string; password: string } | null {
  const { MQTT_USERNAME: username, MQTT_PASSWORD: password } = config
  if (lan && username !== null && password !== null && password.length < MIN_PASSWORD_LENGTH) {
    throw new ConfigError([
      `MQTT_PASSWORD takes ${MIN_PASSWORD_LENGTH} characters or more with --lan: anyone on the network can try passwords.\n` +
        '  Generate one with: openssl rand -hex 16',
    ])
  }
  if (username !== null && password !== null) return { username, password }
  if (!lan && username === null) return null
  throw new ConfigError([
    `MQTT_USERNAME and MQTT_PASSWORD ${lan ? 'are needed with --lan: without them anyone on the network could publish and read' : 'must be set together'}.\n` +
      '  Add them to .env, for example with:\n' +
      `  printf 'MQTT_USERNAME=qs\\nMQTT_PASSWORD=%s\\n' "$(openssl rand -hex 16)" >> .env && chmod 600 .env`,
  ])
}
