import { randomUUID } from 'node:crypto'
import { ackFor } from '@qs-telemetry/protocol'
import { accountTopics } from '../accounts/operator-login.ts'
import { ackFilter } from '../accounts/roles.ts'
import { secretReader } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { LiveFeed } from '../console/live-feed.ts'
import { UnhandledWatch } from '../console/unhandled-watch.ts'
import { watchedVitals } from '../console/vitals.ts'
import { WatchedMessages } from '../console/watched-messages.ts'
import { silentWorkers } from '../database/citus-workers.ts'
import { createPool, queryOnce } from '../database/pool.ts'
import { decodeOptions } from '../decode/decode-options.ts'
import { DeviceZones } from '../devices/device-zones.ts'
import { type ServiceEndpoints, urlReader } from '../endpoints/endpoints.ts'
import { databaseCheck, liveCheck } from '../http/checks.ts'
import { BrokerInbox } from '../letters/broker-inbox.ts'
import { SystemClock } from '../pipeline/clock.ts'
import { BrokerCounts } from '../source/broker-counts.ts'
import { TopicWatch } from '../source/topic-watch.ts'
import type { Log } from '../telemetry/log.ts'
import { processMetrics } from '../telemetry/metrics.ts'
import { serve } from './serve.ts'

export interface OwnConsoleOptions {
  readonly log: Log
}

export interface OwnConsole {
  stop(): Promise<void>
}

const QUERY_TIMEOUT_MS = 2_000
const ZONES_RETRY_MS = 5_000

/**
 * The console without a pipeline (`qs console`): data comes from the database, everything else from the broker. For
 * live messages it subscribes to events and device acks while a page is open; a replay is published as by the device,
 * and waits for its device acks.
 *
 * @throws Error for the operator: a port in use
 */
export async function startOwnConsole(
  config: Config,
  endpoints: ServiceEndpoints,
  { log }: OwnConsoleOptions,
): Promise<OwnConsole> {
  const { mqttUrl, databaseUrl } = endpoints
  const writeUrl = urlReader(config, 'CONSOLE_DATABASE_URL', databaseUrl)
  const readUrl = urlReader(config, 'CONSOLE_READ_DATABASE_URL', writeUrl)
  const pool = createPool(readUrl, { timeoutMs: QUERY_TIMEOUT_MS })
  const ask = (text: string) => queryOnce(pool, text)
  const zones = new DeviceZones(ask, log)
  const client = {
    url: mqttUrl,
    caFile: config.MQTT_CA_FILE,
    username: config.MQTT_USERNAME,
    password: secretReader(config, 'MQTT_PASSWORD'),
  }
  const name = `qs-console-${randomUUID()}`
  const counts = new BrokerCounts({ ...client, clientId: `${name}-sys`, log })
  const live = new LiveFeed((isWatched) => watch.open(isWatched))
  const messages = new WatchedMessages({
    decode: decodeOptions(config, (deviceId) => zones.get(deviceId)),
    ackTemplate: config.ACK_TEMPLATE,
    onCommitted: (batch, result) => live.committed(batch, result),
  })
  const watch = new TopicWatch({
    ...client,
    clientId: name,
    advice: 'use the account of the operator',
    filters: [config.MQTT_EVENTS_TOPIC.topicOf('+'), ackFilter(accountTopics(config))],
    onMessage: (topic, payload) => {
      if (config.MQTT_EVENTS_TOPIC.deviceIdOf(topic) !== null) messages.came(topic, payload)
      else messages.acked(topic, ackFor(payload) ?? [])
    },
  })
  const unhandled = new UnhandledWatch({
    ...{ config, mqttUrl, clientId: `${name}-topics`, clock: new SystemClock() },
  })
  counts.start()
  watch.start()
  unhandled.start()
  const inbox = new BrokerInbox(config)
  const metrics = processMetrics()
  const http = await serve(config, {
    endpoints,
    host: {
      vitals: async () => watchedVitals({ isConnected: watch.isConnected, waiting: counts.waiting }),
      live,
      liveProblem: () => watch.problem,
      unhandledTopics: () => unhandled.list(),
      inbox,
      simulation: null,
    },
    embedded: null,
    onConsoleEnded: metrics.consoleEnded,
    log,
    checks: { database: databaseCheck(() => silentWorkers(pool), log), live: liveCheck(() => watch.problem) },
    failure: () => null,
    metrics: metrics.read,
  })
  await http.prepare()
  const stopZones = startPatiently(zones)
  return {
    stop: async () => {
      stopZones()
      await http.close()
      await Promise.all([watch.stop(), unhandled.stop(), counts.stop(), inbox.close(), pool.end()])
    },
  }
}

/** Starts even if the database is unavailable, which the pages then show. */
function startPatiently(zones: DeviceZones): () => void {
  let timer: NodeJS.Timeout | undefined
  const start = () =>
    void zones.start().catch(() => {
      timer = setTimeout(start, ZONES_RETRY_MS)
    })
  start()
  return () => {
    clearTimeout(timer)
    zones.stop()
  }
}
