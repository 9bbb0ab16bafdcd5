import type { TestContext } from 'node:test'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import pg from 'pg'
import { createPipeline, type Pipeline } from '../../qs/src/app/pipeline.ts'
import { findSettings, parseConfig } from '../../qs/src/config/load.ts'
import type { Config } from '../../qs/src/config/settings.ts'
import { migrate } from '../../qs/src/database/migrate.ts'
import { migratedDatabase } from './postgres.ts'
import { silentLog } from './silent-log.ts'
import { until } from './until.ts'

export interface RunningPipeline {
  readonly pipeline: Pipeline
  readonly databaseUrl: string
  query(sql: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
}

/** The settings if only these variables are set. */
export function configOf(variables: Readonly<Record<string, string>> = {}): Config {
  return parseConfig(findSettings(variables, {}))
}

/** The whole pipeline between a broker and a fresh database, connected; stopped after the test. */
export async function startPipeline(
  t: TestContext,
  mqttUrl: string,
  options: { readonly settings?: Readonly<Record<string, string>>; readonly databaseUrl?: string } = {},
): Promise<RunningPipeline> {
  const databaseUrl = options.databaseUrl ?? (await migratedDatabase(t))
  await migrate(databaseUrl)
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  pool.on('error', () => {})
  const { log } = silentLog()
  const pipeline = createPipeline({
    config: configOf(options.settings),
    mqttUrl,
    databaseUrl,
    timeZoneOf: () => undefined,
    log,
  })
  pipeline.start()
  t.after(async () => {
    await pipeline.stop(5_000)
    await pool.end()
  })
  await until(() => pipeline.source.status.isConnected, 'the pipeline is connected to the broker')
  const query = async (sql: string, values: readonly unknown[] = []) =>
    (await pool.query(sql, [...values])).rows
  return { pipeline, databaseUrl, query }
}

export interface Listener {
  readonly client: MqttClient
  /** Payloads by topic, in the order of arrival. */
  readonly received: ReadonlyMap<string, readonly string[]>
  /** The next payload on a topic that was not taken yet, as JSON. */
  next(topic: string): Promise<unknown>
}

/** An MQTT.js client that receives everything the product sends: acks and dead letters. */
export async function listen(t: TestContext, url: string, options: IClientOptions = {}): Promise<Listener> {
  const received = new Map<string, string[]>()
  const taken = new Map<string, number>()
  const client = await connectAsync(url, options)
  client.on('message', (topic, payload) => {
    received.set(topic, [...(received.get(topic) ?? []), payload.toString()])
  })
  await client.subscribeAsync(['qs/v1/+/acks', 'qs/v1/deadletter'], { qos: 1 })
  t.after(() => client.endAsync(true))
  const next = async (topic: string) => {
    const index = taken.get(topic) ?? 0
    taken.set(topic, index + 1)
    return JSON.parse(
      await until(() => received.get(topic)?.[index], `message ${index + 1} on ${topic}`),
    ) as unknown
  }
  return { client, received, next }
}
