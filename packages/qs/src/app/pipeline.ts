import { ackTopics, type Instant } from '@qs-telemetry/protocol'
import { type TypesAlarm, typesAlarm } from '../alarms/types-alarm.ts'
import { Batcher } from '../batch/batcher.ts'
import { DEFAULT_IN_FLIGHT } from '../config/default-in-flight.ts'
import { secretReader } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { decoder } from '../decode/decode-message.ts'
import { type ChosenTimes, decodeOptions } from '../decode/decode-options.ts'
import { currentUrl, type DatabaseUrl } from '../endpoints/database-url.ts'
import { type Injected, Injections } from '../letters/injections.ts'
import { OnlyCountedLog } from '../letters/only-counted-log.ts'
import { Accounting } from '../pipeline/accounting.ts'
import { chargeDevices } from '../pipeline/charge-devices.ts'
import type { Clock } from '../pipeline/clock.ts'
import type { Delivery } from '../pipeline/delivery.ts'
import type { DeviceBudgets } from '../pipeline/device-budgets.ts'
import type { Intake, IntakeEvents, IntakeStatus } from '../pipeline/intake.ts'
import type { BatchResult, Message } from '../pipeline/message.ts'
import { withResolvers } from '../pipeline/promises.ts'
import { reply } from '../reply/reply.ts'
import { LetterAllowance } from '../sink/letter-allowance.ts'
import { Sink } from '../sink/sink.ts'
import { Source } from '../source/source.ts'
import { countOutcomes, countReceived } from '../telemetry/count-events.ts'
import type { Log } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { deviceBudgets } from './device-budgets.ts'
import { type Edges, realEdges } from './edges.ts'

export interface PipelineOptions {
  readonly config: Config
  readonly mqttUrl: string
  readonly databaseUrl: DatabaseUrl
  readonly timeZoneOf: (deviceId: string) => string | undefined
  /** Default: the settings. */
  readonly chosen?: ChosenTimes
  readonly log: Log
  /** Shared with the embedded broker, which charges arriving messages. */
  readonly budgets?: DeviceBudgets
  /** Default: a session at the broker of `mqttUrl`. */
  readonly openIntake?: (events: IntakeEvents) => Intake
  /** See SourceOptions. */
  readonly lastStored?: () => Promise<Date | null>
  /** External dependencies; the real ones by default. */
  readonly edges?: Edges
  /** Called for every batch after COMMIT, before the device acks. Must be fast and must not throw. */
  readonly onCommitted?: (batch: readonly Message[], result: BatchResult) => void
}

export interface Pipeline {
  readonly source: Intake
  readonly metrics: Metrics
  readonly accounting: Accounting
  readonly budgets: DeviceBudgets
  readonly typesAlarm: TypesAlarm
  /** The status of the source, including injected messages. */
  status(): IntakeStatus
  /** What PostgreSQL refuses now, and what to do about it; null if nothing. */
  refusal(): string | null
  /** Processes an internal message like one from the broker; resolves with its outcome after COMMIT. */
  inject(topic: string, payload: Buffer, receivedAt: Instant | null): Promise<Injected>
  /** Called before the rows of devices are removed: see Sink.forgetDevices. */
  forgetDevices(isGone: (deviceId: string) => boolean): void
  /** Resolves with the reason when the pipeline cannot continue; never otherwise. */
  readonly failed: Promise<Error>
  /** Resolves on the first connection to the broker. */
  start(): Promise<void>
  /** Takes no new messages, finishes those in flight within `timeoutMs`, ends. @returns whether all were finished */
  stop(timeoutMs: number): Promise<boolean>
}

/** An attempt that began during a network outage is lost; the next one must follow soon. */
const CONNECT_TIMEOUT_MS = 3_000
/** A few hundred events: smaller batches spend more on the transaction than on the rows. */
const WORTH_ANOTHER_WRITER_BYTES = 128 * 1024

/** Connects the stages: source → batch → decode → sink → reply. */
export function createPipeline({
  config,
  mqttUrl,
  databaseUrl,
  timeZoneOf,
  chosen,
  log,
  budgets: shared,
  openIntake,
  lastStored,
  edges: { openSocket, connect, clock, random } = realEdges(),
  onCommitted = () => {},
}: PipelineOptions): Pipeline {
  const { promise: failed, resolve: fail } = withResolvers<Error>()
  const decode = decoder(decodeOptions(config, timeZoneOf, chosen))
  const accounting = new Accounting()
  const injections = new Injections()
  const budgets = shared ?? deviceBudgets(config)
  const areArrivalsCharged = shared !== undefined
  const tooManyTypes = typesAlarm()
  const countedLetters = new OnlyCountedLog(log.child({ stage: 'sink' }), clock)

  const inFlightMessages = config.IN_FLIGHT_MESSAGES ?? DEFAULT_IN_FLIGHT.ingest
  const openSource = (events: IntakeEvents) =>
    new Source({
      url: mqttUrl,
      caFile: config.MQTT_CA_FILE,
      clientId: config.MQTT_CLIENT_ID,
      username: config.MQTT_USERNAME,
      password: secretReader(config, 'MQTT_PASSWORD'),
      filter: config.MQTT_EVENTS_TOPIC.filter,
      sessionExpiryMs: config.MQTT_SESSION_EXPIRY,
      receiveMaximum: inFlightMessages,
      keepAliveMs: config.MQTT_KEEP_ALIVE,
      highWatermark: { messages: inFlightMessages, bytes: config.IN_FLIGHT_BYTES },
      openSocket,
      clock,
      random,
      log: log.child({ stage: 'source' }),
      ...(lastStored && { lastStored }),
      ...events,
    })
  const events: IntakeEvents = { onDelivery: (delivery) => batcher.push(delivery), onFailure: fail }
  const source = openIntake?.(events) ?? openSource(events)

  const metrics = new Metrics({
    connected: () => Number(source.status.isConnected),
    paused: () => Number(source.status.isPaused),
    unsettledMessages: () => source.status.unsettledMessages,
    unsettledBytes: () => source.status.unsettledBytes,
    reconnects: () => source.status.reconnects,
    sessionsLost: () => source.status.sessionsLost,
    publishesGivenUp: () => source.status.publishesGivenUp,
    qos0Dropped: () => source.status.qos0Dropped?.count ?? 0,
    willsDropped: () => source.status.willsDropped?.count ?? 0,
    devicesOverBudget: () => budgets.over(clock.monotonicMs()).length,
  })

  const sink = new Sink({
    writers: config.DATABASE_WRITERS,
    name: config.MQTT_CLIENT_ID,
    connect: () =>
      connect({
        url: currentUrl(databaseUrl),
        name: config.MQTT_CLIENT_ID,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
      }),
    timeoutMs: config.DATABASE_TIMEOUT,
    clock,
    random,
    eventTypes: config.LIMIT_EVENT_TYPES,
    allowance: new LetterAllowance({
      lettersPerMinute: config.DEAD_LETTER_RATE,
      bytesPerMinute: config.DEAD_LETTER_BYTES,
    }),
    log: log.child({ stage: 'sink' }),
    onRetry: () => metrics.retries.inc(),
  })

  const replyOptions = {
    publisher: source,
    ackTopicOf: ackTopics(config.ACK_TEMPLATE),
    ackQos: config.ACK_QOS,
    deadLetterTopic: config.MQTT_DEADLETTER_TOPIC,
    onFault: (error: unknown) =>
      log.error(error, 'A committed message could not be answered; please report this'),
  }
  const decodeCounted = (delivery: Delivery): Message => {
    const message = decode(delivery)
    accounting.decoded(message)
    countReceived(metrics, message)
    return message
  }
  /** @returns the number of deliveries, from the first, that are now settled */
  const writeFirst = async (deliveries: readonly Delivery[]): Promise<number> => {
    const stopTimer = metrics.commitSeconds.startTimer()
    const batch = sink.gather(deliveries, decodeCounted)
    const result = await sink.write(batch)
    stopTimer()
    const { messages } = batch
    accounting.committed(messages, result)
    countOutcomes(metrics, result)
    countedLetters.look(messages, result)
    chargeDevices(messages, result, { budgets, areArrivalsCharged, nowMs: clock.monotonicMs() })
    tooManyTypes.look(messages, result, clock.monotonicMs())
    injections.look(messages, result)
    onCommitted(messages, result)
    reply(messages, result, replyOptions)
    return messages.length
  }
  const batcher = new Batcher({
    writers: config.DATABASE_WRITERS,
    maxBytes: config.BATCH_BYTES,
    worthAnotherBytes: Math.min(WORTH_ANOTHER_WRITER_BYTES, config.BATCH_BYTES),
    clock,
    write: async (deliveries) => {
      for (let at = 0; at < deliveries.length; ) at += await writeFirst(deliveries.slice(at))
    },
    onFailure: (error) => fail(error as Error),
  })

  return {
    source,
    metrics,
    accounting,
    budgets,
    typesAlarm: tooManyTypes,
    failed,
    status: () => {
      const { status } = source
      return { ...status, unsettledMessages: status.unsettledMessages + injections.unsettled }
    },
    inject: (topic, payload, receivedAt) =>
      injections.deliver({ topic, payload, receivedAt: receivedAt ?? clock.now() }, (delivery) =>
        batcher.push(delivery),
      ),
    refusal: () => sink.refusal,
    forgetDevices: (isGone) => sink.forgetDevices(isGone),
    start: () => {
      sink.start()
      return source.start()
    },
    stop: async (timeoutMs) => {
      const isDrained = await within(clock, timeoutMs, async () => {
        await source.drain()
        await sink.drain()
      })
      await source.stop()
      sink.stop()
      countedLetters.stop()
      return isDrained
    },
  }
}

async function within(clock: Clock, timeoutMs: number, work: () => Promise<void>): Promise<boolean> {
  const { promise, resolve } = withResolvers<boolean>()
  const callOff = clock.after(timeoutMs, () => resolve(false))
  work().then(
    () => resolve(true),
    () => resolve(false),
  )
  const isDone = await promise
  callOff()
  return isDone
}
