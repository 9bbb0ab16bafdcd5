import { ErrorWithSubackPacket, type MqttClient } from 'mqtt'
import { connectWatcher, type WatcherOptions } from './watcher-client.ts'

export interface TopicWatchOptions extends WatcherOptions {
  readonly filters: readonly string[]
  /** What to do if the broker refuses the filters; ends the sentence that reports the refusal. */
  readonly advice: string
  /** `isRetained`: a retained message, sent again with each subscription. */
  readonly onMessage: (topic: string, payload: Buffer, isRetained: boolean) => void
}

const RECONNECT_MS = 2_000
/** SUBACK: failure [MQTT-3.9.3-2 of 3.1.1]. */
const REFUSED = 0x80

/** Receives some topics on demand, in addition to their regular recipients. */
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

  /** Why no messages arrive, as text for users; null if no problem is known. */
  get problem(): string | null {
    return this.#problem
  }

  start(): void {
    const { url, onMessage } = this.#options
    const client = connectWatcher(this.#options, RECONNECT_MS)
    this.#client = client
    this.#problem = `Not yet connected to the broker at ${url}`
    client.on('message', (topic, payload, { retain }) => onMessage(topic, payload, retain))
    client.on('connect', () => {
      this.#problem = null
      this.#subscribe()
    })
    client.on('error', (error) => this.#lose(error))
    client.on('close', () => this.#lose(null))
  }

  /** Turns reception on or off. */
  open(isOpen: boolean): void {
    if (isOpen === this.#isOpen) return
    this.#isOpen = isOpen
    if (isOpen) this.#subscribe()
    else this.#unsubscribe()
  }

  async stop(): Promise<void> {
    await this.#client?.endAsync(true)
  }

  /** Also runs while reception is off, so that a refusal is known in advance. */
  #subscribe(): void {
    if (!this.isConnected) return
    const { filters, username, advice } = this.#options
    const who = username === null ? 'a client without a user name' : `the user ${username}`
    this.#client?.subscribe([...filters], { qos: 0 }, (error) => {
      // Without a packet if the connection ended before its SUBACK, which MQTT.js's type leaves out.
      const { packet }: Partial<ErrorWithSubackPacket> = error instanceof ErrorWithSubackPacket ? error : {}
      const granted = packet?.granted ?? []
      const refused = filters.filter((_, index) => Number(granted[index]) === REFUSED)
      if (refused.length > 0)
        this.#problem = `The broker does not allow ${who} to read ${refused.join(' and ')}; ${advice}`
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
    // The reason of an error is kept when the connection closes because of it.
    if (why !== '' || this.#problem === null)
      this.#problem = `No connection to the broker at ${this.#options.url}${why}`
  }
}
