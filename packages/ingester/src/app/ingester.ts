import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config/settings.ts'
import { DeviceZones } from '../database/device-zones.ts'
import { InstanceLock } from '../database/instance-lock.ts'
import { migrate, SchemaError } from '../database/migrate.ts'
import { createPool, queryOnce } from '../database/pool.ts'
import { brokerCheck, databaseCheck } from '../http/checks.ts'
import { startHttp } from '../http/server.ts'
import { verdictOn } from '../sink/sqlstate.ts'
import type { Log } from '../telemetry/log.ts'
import { createPipeline } from './pipeline.ts'
import { withResolvers } from './with-resolvers.ts'

export interface Ingester {
  /** Settles when it cannot go on. */
  readonly failed: Promise<Error>
  /** Settles at the first connection to the broker. */
  readonly connected: Promise<void>
  /** True where everything under way was finished. */
  stop(): Promise<boolean>
}

export interface Endpoints {
  readonly mqttUrl: string
  readonly databaseUrl: string
}

/** What an orchestrator waits for before it kills. */
const DRAIN_TIMEOUT_MS = 5_000
const QUERY_TIMEOUT_MS = 2_000

/**
 * The service: schema, pipeline, HTTP, in this order. Waits for a database that is not there yet; stops at one
 * that refuses.
 *
 * @param signal ends the waiting
 * @throws Error that a person has to read: a refused user, a port in use
 */
export async function startIngester(
  config: Config,
  { mqttUrl, databaseUrl }: Endpoints,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<Ingester> {
  await migrateWhenThere(databaseUrl, log, signal)
  const { promise: nameLost, resolve: onLost } = withResolvers<Error>()
  const lock = new InstanceLock({ url: databaseUrl, name: config.MQTT_CLIENT_ID, log, onLost })
  await lock.acquire()
  const pool = createPool(databaseUrl, { timeoutMs: QUERY_TIMEOUT_MS })
  const zones = new DeviceZones((text) => queryOnce(pool, text), log)
  await zones.start()

  const timeZoneOf = (deviceId: string) => zones.get(deviceId)
  const pipeline = createPipeline({ config, mqttUrl, databaseUrl, timeZoneOf, log })
  const failed = Promise.race([pipeline.failed, nameLost])
  let failure: Error | null = null
  failed.then((error) => {
    failure = error
  })
  const { registry } = pipeline.metrics
  const http = await startHttp({
    host: config.HTTP_HOST,
    port: config.HTTP_PORT,
    checks: {
      broker: brokerCheck(() => pipeline.source.status),
      database: databaseCheck(() => queryOnce(pool, 'select 1')),
    },
    failure: () => failure,
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  })
  const connected = pipeline.start()

  return {
    failed,
    connected,
    stop: async () => {
      zones.stop()
      const isDrained = await pipeline.stop(DRAIN_TIMEOUT_MS)
      await http.close()
      await pool.end()
      lock.release()
      return isDrained
    },
  }
}

async function migrateWhenThere(databaseUrl: string, log: Log, signal: AbortSignal): Promise<void> {
  for (let failures = 0; ; failures++) {
    try {
      const applied = await migrate(databaseUrl)
      if (applied.length > 0) log.info({ applied }, 'Brought the schema up to date')
      return
    } catch (error) {
      if (error instanceof SchemaError || verdictOn(error) === 'stop') throw error
      if ((failures & (failures + 1)) === 0) {
        log.warn(
          { failures: failures + 1, reason: (error as Error).message },
          'PostgreSQL is not there yet; trying again',
        )
      }
      await delay(Math.min(250 * 2 ** failures, 3_000), undefined, { signal })
    }
  }
}
