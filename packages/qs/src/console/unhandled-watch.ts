import { type EventTopic, topicMatches } from '@qs-telemetry/protocol'
import type { UnhandledTopics } from '@qs-telemetry/protocol/api'
import { accountTopics } from '../accounts/operator-login.ts'
import { ackFilter, topicsAround } from '../accounts/roles.ts'
import { secretReader } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import { TopicWatch } from '../source/topic-watch.ts'
import { UnhandledTopicLog } from './unhandled-topic-log.ts'

export interface UnhandledWatchOptions {
  readonly config: Config
  readonly mqttUrl: string
  readonly clientId: string
  readonly clock: Clock
}

/** Maximum per second. A message costs about 20 µs here and as much at the broker. */
const MOST = { messages: 200, bytes: 1024 * 1024 } as const
const WINDOW_MS = 1_000
/** Time without a subscription after the limit is exceeded; also the interval for retrying a refused subscription. */
const PAUSE_MS = 30_000

/**
 * Messages on topics that are not ingested, at an external broker. It reads all topics around the event topics on its
 * own connection: QoS 0, no session, no shared subscription, so ingestion is not affected.
 *
 * The broker sends each event a second time, so there is a limit: after 200 messages or 1 MiB in a second, it
 * unsubscribes for half a minute, and the counts are those of a sample.
 */
export class UnhandledWatch {
  readonly #log: UnhandledTopicLog
  readonly #watch: TopicWatch
  readonly #clock: Clock
  readonly #ours: readonly string[]
  readonly #eventsTopic: EventTopic
  #windowMs = Number.NEGATIVE_INFINITY
  #left: Record<keyof typeof MOST, number> = { ...MOST }
  /** When it last exceeded the limit. */
  #pausedMs = Number.NEGATIVE_INFINITY
  #isPaused = false
  /** Messages on event topics that other subscribers got, retained ones excluded; of a sample when there are many. */
  #events = 0
  #callOff: CallOff = () => {}

  constructor({ config, mqttUrl, clientId, clock }: UnhandledWatchOptions) {
    const filter = topicsAround(config.MQTT_EVENTS_TOPIC)
    this.#log = new UnhandledTopicLog(config.MQTT_EVENTS_TOPIC)
    this.#ours = [ackFilter(accountTopics(config)), config.MQTT_DEADLETTER_TOPIC]
    this.#eventsTopic = config.MQTT_EVENTS_TOPIC
    this.#clock = clock
    this.#watch = new TopicWatch({
      url: mqttUrl,
      caFile: config.MQTT_CA_FILE,
      clientId,
      username: config.MQTT_USERNAME,
      password: secretReader(config, 'MQTT_PASSWORD'),
      filters: [filter],
      advice: `grant it with qs provision (Mosquitto with dynamic security), or with the line "topic read ${filter}" under its user in the ACL file. Ingestion does not need it`,
      onMessage: (topic, payload, isRetained) => this.#came(topic, payload, isRetained),
    })
  }

  start(): void {
    this.#watch.start()
    this.#watch.open(true)
    this.#callOff = this.#clock.every(PAUSE_MS, () => this.#tryAgain())
  }

  async stop(): Promise<void> {
    this.#callOff()
    await this.#watch.stop()
  }

  get events(): number {
    return this.#events
  }

  list(): UnhandledTopics {
    const isSampled = this.#clock.monotonicMs() - this.#pausedMs < 2 * PAUSE_MS
    return { ...this.#log.list(), isSampled, problem: this.#watch.problem }
  }

  #came(topic: string, payload: Buffer, isRetained: boolean): void {
    // Messages still in transit after the unsubscribe.
    if (this.#isPaused) return
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs
      this.#left = { ...MOST }
    }
    this.#left = { messages: this.#left.messages - 1, bytes: this.#left.bytes - payload.length }
    if (this.#left.messages < 0 || this.#left.bytes < 0) return this.#pause(nowMs)
    // The broker repeats retained messages with each subscription.
    if (isRetained || this.#ours.some((filter) => topicMatches(filter, topic))) return
    if (this.#eventsTopic.deviceIdOf(topic) !== null) this.#events++
    this.#log.came({ topic, clientId: null, isAllowed: true, payload }, this.#clock.now().epochMs)
  }

  #pause(nowMs: number): void {
    this.#isPaused = true
    this.#pausedMs = nowMs
    this.#watch.open(false)
  }

  #tryAgain(): void {
    const isRested = this.#clock.monotonicMs() - this.#pausedMs >= PAUSE_MS / 2
    if (this.#isPaused ? !isRested : this.#watch.problem === null) return
    this.#isPaused = false
    this.#watch.open(false)
    this.#watch.open(true)
  }
}
