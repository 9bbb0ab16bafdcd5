import { Batcher } from '../batch/batcher.ts'
import type { Config } from '../config/settings.ts'
import { connect } from '../database/connect.ts'
import { decodeMessage } from '../decode/decode-message.ts'
import type { Message } from '../pipeline/message.ts'
import type { BatchResult } from '../pipeline/outcome.ts'
import { reply } from '../reply/reply.ts'
import { Sink } from '../sink/sink.ts'
import { Source } from '../source/source.ts'
import type { Log } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { SystemClock } from './system-clock.ts'
import { withResolvers } from './with-resolvers.ts'

export interface PipelineOptions {
  readonly config: Config
  readonly mqttUrl: string
  readonly databaseUrl: string
  readonly timeZoneOf: (deviceId: string) => string | undefined
  readonly log: Log
}

export interface Pipeline {
  readonly source: Source
  readonly metrics: Metrics
  /** Settles with the reason when the pipeline cannot go on; never otherwise. */
  readonly failed: Promise<Error>
  /** Settles at the first connection to the broker. */
  start(): Promise<void>
  /** Takes nothing new, finishes what is under way, at most so long, and ends. True where all was finished. */
  stop(timeoutMs: number): Promise<boolean>
}

/** The stages, joined: source → decode → batch → sink → reply. */
export function createPipeline({ config, mqttUrl, databaseUrl, timeZoneOf, log }: PipelineOptions): Pipeline {
  const { promise: failed, resolve: fail } = withResolvers<Error>()
  const decodeOptions = {
    topic: config.MQTT_EVENTS_TOPIC,
    limits: limitsOf(config),
    clockTrust: { maxPastMs: config.DEVICE_CLOCK_MAX_PAST, maxFutureMs: config.DEVICE_CLOCK_MAX_FUTURE },
    timeZoneOf: (deviceId: string) => timeZoneOf(deviceId) ?? config.DEVICE_TIMEZONE,
  }

  const source = new Source({
    url: mqttUrl,
    caFile: config.MQTT_CA_FILE,
    clientId: config.MQTT_CLIENT_ID,
    username: config.MQTT_USERNAME,
    password: config.MQTT_PASSWORD,
    filter: config.MQTT_EVENTS_TOPIC.filter,
    sessionExpiryMs: config.MQTT_SESSION_EXPIRY,
    receiveMaximum: config.IN_FLIGHT_MESSAGES,
    keepAliveMs: config.MQTT_KEEP_ALIVE,
    highWatermark: { messages: config.IN_FLIGHT_MESSAGES, bytes: config.IN_FLIGHT_BYTES },
    clock: new SystemClock(),
    log: log.child({ stage: 'source' }),
    onDelivery: (delivery) => batcher.push(delivery),
    onFailure: fail,
  })

  const metrics = new Metrics({
    connected: () => Number(source.status.isConnected),
    paused: () => Number(source.status.isPaused),
    unsettledMessages: () => source.status.unsettledMessages,
    unsettledBytes: () => source.status.unsettledBytes,
    reconnects: () => source.status.reconnects,
    sessionsLost: () => source.status.sessionsLost,
    publishesGivenUp: () => source.status.publishesGivenUp,
  })

  const sink = new Sink({
    writers: config.DATABASE_WRITERS,
    name: config.MQTT_CLIENT_ID,
    connect: () => connect({ url: databaseUrl, name: config.MQTT_CLIENT_ID, connectTimeoutMs: 5_000 }),
    timeoutMs: config.DATABASE_TIMEOUT,
    log: log.child({ stage: 'sink' }),
    onRetry: () => metrics.retries.inc(),
  })

  const replyOptions = {
    publisher: source,
    ackTemplate: config.ACK_TEMPLATE,
    ackQos: config.ACK_QOS,
    deadLetterTopic: config.MQTT_DEADLETTER_TOPIC,
    onFault: (error: unknown) =>
      log.error(error, 'A message is committed and could not be answered; please report this'),
  }
  const batcher = new Batcher({
    writers: config.DATABASE_WRITERS,
    maxEvents: config.BATCH_EVENTS,
    maxBytes: config.BATCH_BYTES,
    decode: (delivery) => {
      const message = decodeMessage(delivery, decodeOptions)
      countReceived(metrics, message)
      return message
    },
    write: async (batch) => {
      const stopTimer = metrics.commitSeconds.startTimer()
      const result = await sink.write(batch)
      stopTimer()
      countOutcomes(metrics, result)
      reply(batch, result, replyOptions)
    },
    onFailure: (error) => fail(error as Error),
  })

  return {
    source,
    metrics,
    failed,
    start: () => {
      sink.start()
      return source.start()
    },
    stop: async (timeoutMs) => {
      const isDrained = await within(timeoutMs, async () => {
        await source.drain()
        await sink.drain()
      })
      await source.stop()
      sink.stop()
      return isDrained
    },
  }
}

function limitsOf(config: Config) {
  return {
    messageBytes: config.LIMIT_MESSAGE_BYTES,
    arrayEvents: config.LIMIT_ARRAY_EVENTS,
    idBytes: config.LIMIT_ID_BYTES,
    unitBytes: config.LIMIT_UNIT_BYTES,
    valueTextBytes: config.LIMIT_VALUE_TEXT_BYTES,
    metaBytes: config.LIMIT_META_BYTES,
    metaDepth: config.LIMIT_META_DEPTH,
  }
}

function countReceived(metrics: Metrics, { elements }: Message): void {
  metrics.messagesReceived.inc()
  metrics.eventsReceived.inc(elements.length)
  metrics.eventsInFlight.inc(elements.length)
  for (const element of elements) {
    if (element.kind === 'event' && element.tsDeviceRaw !== null) metrics.deviceTimeUnreadable.inc()
  }
}

function countOutcomes(metrics: Metrics, result: BatchResult): void {
  const counts = { stored: 0, duplicate: 0, rejected: 0 }
  for (const outcomes of result) {
    for (const outcome of outcomes) {
      if (outcome.kind !== 'rejection') counts[outcome.kind]++
      else {
        counts.rejected++
        metrics.deadLetters.inc({ code: outcome.code })
      }
    }
  }
  const events = counts.stored + counts.duplicate + counts.rejected
  for (const [outcome, count] of Object.entries(counts)) metrics.events.inc({ outcome }, count)
  metrics.eventsInFlight.dec(events)
  metrics.batchEvents.observe(events)
}

async function within(timeoutMs: number, work: () => Promise<void>): Promise<boolean> {
  const { promise, resolve } = withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), timeoutMs)
  work().then(
    () => resolve(true),
    () => resolve(false),
  )
  const isDone = await promise
  clearTimeout(timer)
  return isDone
}
