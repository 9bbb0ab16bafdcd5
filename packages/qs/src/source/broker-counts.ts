import type { MqttClient } from 'mqtt'
import type { Log } from '../telemetry/log.ts'
import { connectWatcher, type WatcherOptions } from './watcher-client.ts'

export interface BrokerCountsOptions extends WatcherOptions {
  /** How long to wait for the first count before the log says that none arrives. */
  readonly patienceMs?: number
  readonly log: Log
}

const TOPICS = {
  dropped: '$SYS/broker/publish/messages/dropped',
  kept: '$SYS/broker/store/messages/count',
  retained: '$SYS/broker/retained messages/count',
} as const
const RECONNECT_MS = 30_000
const PATIENCE_MS = 30_000

/**
 * Counts from the broker: messages dropped since its start, for any client, and messages kept for sessions. They come
 * over a separate connection without a session, so that the one for events carries nothing else.
 *
 * Mosquitto publishes them every ten seconds to users that may read $SYS; with other brokers they stay null.
 */
export class BrokerCounts {
  readonly #options: BrokerCountsOptions
  readonly #counts = new Map<string, number>()
  #client: MqttClient | null = null
  #patience: NodeJS.Timeout | undefined

  constructor(options: BrokerCountsOptions) {
    this.#options = options
  }

  get isConnected(): boolean {
    return this.#client?.connected ?? false
  }

  get dropped(): number | null {
    return this.#counts.get(TOPICS.dropped) ?? null
  }

  /** Messages that wait for a client or its PUBACK; a message for two clients counts once. */
  get waiting(): number | null {
    const [kept, retained] = [this.#counts.get(TOPICS.kept), this.#counts.get(TOPICS.retained)]
    return kept === undefined || retained === undefined ? null : Math.max(0, kept - retained)
  }

  start(): void {
    const { patienceMs = PATIENCE_MS, log } = this.#options
    const client = connectWatcher(this.#options, RECONNECT_MS)
    this.#client = client
    client.on('message', (topic, payload) => {
      const count = Number(payload.toString())
      if (Number.isFinite(count)) this.#counts.set(topic, count)
    })
    client.on('connect', () => {
      // Some brokers grant the subscription but deliver nothing, so only a received count is proof.
      client.subscribe(Object.values(TOPICS), { qos: 0 }, () => {})
      this.#patience ??= setTimeout(() => {
        if (this.dropped !== null) return
        log.info(
          `Nothing on ${TOPICS.dropped}: the broker does not count drops, or does not allow this user to read the count`,
        )
      }, patienceMs).unref()
    })
    // The source reports broker problems; if only this connection is refused, it retries.
    client.on('error', (error) => log.debug({ reason: error.message }, 'No connection for $SYS'))
  }

  async stop(): Promise<void> {
    clearTimeout(this.#patience)
    await this.#client?.endAsync(true)
  }
}
