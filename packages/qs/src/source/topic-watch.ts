import { ErrorWithSubackPacket, type MqttClient } from 'mqtt'
import { connectWatcher, type WatcherOptions } from './watcher-client.ts'

export interface TopicWatchOptions extends WatcherOptions {
  readonly filters: readonly string[]
  /** What to do where the broker refuses the filters: the end of a sentence that says so. */
  readonly advice: string
  /** A retained message comes again with each subscription: `isRetained`. */
  readonly onMessage: (topic: string, payload: Buffer, isRetained: boolean) => void
}

const RECONNECT_MS = 2_000
/** SUBACK: failure [MQTT-3.9.3-2 of 3.1.1]. */
const REFUSED = 0x80

/** Hears some topics while somebody wants to, beside those whom the messages are for. */
export class TopicWatch {
  readonly #options: TopicWatchOptions
  #client: MqttClient | null = null
  #isOpen = false
  #problem: string | null = null

  constructor(options: TopicWatchOptions) {
    this.#options = options
  }

  get isConnected(): boolean {
    return this.#client?.connected ?? false
  }

  /** Why nothing is heard, for people; null: nothing is known to be wrong. */
  get problem(): string | null {
    return this.#problem
  }

  start(): void {
    const { url, onMessage } = this.#options
    const client = connectWatcher(this.#options, RECONNECT_MS)
    this.#client = client
    this.#problem = `The broker at ${url} is not connected yet`
    client.on('message', (topic, payload, { retain }) => onMessage(topic, payload, retain))
    client.on('connect', () => {
      this.#problem = null
      this.#subscribe()
    })
    client.on('error', (error) => this.#lose(error))
    client.on('close', () => this.#lose(null))
  }

  /** Whether anybody wants to hear them now. */
  open(isOpen: boolean): void {
    if (isOpen === this.#isOpen) return
    this.#isOpen = isOpen
    if (isOpen) this.#subscribe()
    else this.#unsubscribe()
  }

  async stop(): Promise<void> {
    await this.#client?.endAsync(true)
  }

  /** Also while nobody wants to hear: whether it may is known before somebody does. */
  #subscribe(): void {
    if (!this.isConnected) return
    const { filters, username, advice } = this.#options
    const who = username === null ? 'a client without a user' : `the user ${username}`
    this.#client?.subscribe([...filters], { qos: 0 }, (error) => {
      const granted = error instanceof ErrorWithSubackPacket ? (error.packet.granted ?? []) : []
      const refused = filters.filter((_, index) => Number(granted[index]) === REFUSED)
      if (refused.length > 0)
        this.#problem = `The broker does not let ${who} read ${refused.join(' and ')}; ${advice}`
      else if (error === null) this.#problem = null
      if (!this.#isOpen) this.#unsubscribe()
    })
  }

  #unsubscribe(): void {
    if (this.isConnected) this.#client?.unsubscribe([...this.#options.filters])
  }

  #lose(error: Error | null): void {
    const cause = error instanceof AggregateError ? (error.errors[0] as Error) : error
    const why = cause === null ? '' : `: ${cause.message}`
    // What the error said is not forgotten when the connection closes because of it.
    if (why !== '' || this.#problem === null)
      this.#problem = `No connection to the broker at ${this.#options.url}${why}`
  }
}
