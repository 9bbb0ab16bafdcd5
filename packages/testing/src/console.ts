import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { DEFAULT_TOPICS, EventTopic } from '@qs-telemetry/protocol'
import { connectAsync, type MqttClient } from 'mqtt'
import pg from 'pg'
import { deviceBudgets } from '../../qs/src/app/device-budgets.ts'
import { directIntake } from '../../qs/src/app/embedded.ts'
import { type EmbeddedDatabase, startIngester } from '../../qs/src/app/ingester.ts'
import { UnhandledTopicLog } from '../../qs/src/console/unhandled-topic-log.ts'
import { startEmbeddedBroker } from '../../qs/src/embedded/broker/embedded-broker.ts'
import { freePort } from './free-port.ts'
import { configOf } from './pipeline.ts'
import { migratedDatabase } from './postgres.ts'
import { silentLog } from './silent-log.ts'
import { until } from './until.ts'

export interface RunningConsole {
  readonly url: string
  readonly client: MqttClient
  readonly databaseUrl: string
  readonly mqttPort: number
  query(sql: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
  /** Publishes an event, or the bytes themselves, and waits until it is stored or a dead letter. */
  publish(deviceId: string, payload: object | string | Buffer): Promise<void>
  /** The API, with the answer as JSON. */
  api<T>(
    path: string,
    init?: RequestInit,
  ): Promise<{ readonly status: number; readonly body: T; readonly headers: Headers }>
}

export interface ConsoleOptions {
  readonly settings?: Readonly<Record<string, string>>
  /** Default: a fresh database with all migrations. */
  readonly databaseUrl?: string
  /** The same database with other roles. Default: `databaseUrl` for all. */
  readonly database?: EmbeddedDatabase
}

/** The default data directory may have passwords of another database. */
const NO_DATA = join(tmpdir(), 'qs-test-without-data')

/** The whole service with the embedded broker and a fresh database, stopped after the test. */
export async function startTestConsole(
  t: TestContext,
  { settings = {}, ...options }: ConsoleOptions = {},
): Promise<RunningConsole> {
  const { log } = silentLog()
  const databaseUrl = options.databaseUrl ?? (await migratedDatabase(t))
  const { database = { ownerUrl: databaseUrl, consoleUrl: databaseUrl } } = options
  const { MQTT_USERNAME: username, MQTT_PASSWORD: password } = settings
  const credentials = username !== undefined && password !== undefined ? { username, password } : null
  const eventTopic = new EventTopic(DEFAULT_TOPICS.events)
  const unhandled = new UnhandledTopicLog(eventTopic)
  const intake = directIntake(configOf(settings))
  const broker = await startEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    wsPort: 0,
    credentials,
    accountsFile: null,
    maxPacketBytes: 16 * 1024 * 1024,
    events: { intake, isEvents: (topic) => eventTopic.deviceIdOf(topic) !== null },
    onPublish: (clientId, publish) => unhandled.came({ clientId, ...publish }, Date.now()),
    log,
  })
  const port = await freePort()
  const config = configOf({
    ...{ HTTP_PORT: String(port), MQTT_PORT: String(broker.port), QS_DATA_DIR: NO_DATA },
    ...settings,
  })
  const endpoints = { mqttUrl: `mqtt://127.0.0.1:${broker.port}`, databaseUrl }
  const signal = new AbortController().signal
  const embedded = { lan: false, broker, intake, budgets: deviceBudgets(config), unhandled, database }
  const ingester = await startIngester(config, endpoints, { log, signal, embedded })
  await ingester.connected
  broker.open()
  // The console starts in the background; under load that takes longer than what a test locks or counts.
  await (await fetch(`http://127.0.0.1:${port}/api/session`)).text()
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  pool.on('error', () => {})
  const client = await connectAsync(endpoints.mqttUrl, { ...credentials })
  t.after(async () => {
    await client.endAsync(true)
    await ingester.stop()
    await broker.stop()
    await pool.end()
  })
  const url = `http://127.0.0.1:${port}`
  const query = async (sql: string, values: readonly unknown[] = []) =>
    (await pool.query<Record<string, unknown>>(sql, [...values])).rows
  let sent = 0
  let counting: Promise<number> | null = null
  /** One query at a time, however many events wait. */
  const committed = () => {
    counting ??= query('select coalesce(sum(messages), 0)::int as n from ingest_stats')
      .then(([row]) => Number(row?.n))
      .finally(() => {
        counting = null
      })
    return counting
  }
  return {
    url,
    client,
    databaseUrl,
    mqttPort: broker.port,
    query,
    publish: async (deviceId, payload) => {
      const bytes =
        typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload)
      await client.publishAsync(`qs/v1/${deviceId}/events`, bytes, { qos: 1 })
      sent++
      await until(async () => (await committed()) >= sent, `message ${sent} is committed`)
    },
    api: async <T>(path: string, init: RequestInit = {}) => {
      const response = await fetch(url + path, init)
      const text = await response.text()
      const isJson = /json/.test(response.headers.get('content-type') ?? '')
      return {
        status: response.status,
        headers: response.headers,
        body: (isJson ? JSON.parse(text) : text) as T,
      }
    },
  }
}

/** A request with a JSON body. */
export function json(
  method: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): RequestInit {
  return { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }
}
