import { topicMatches } from '@qs-telemetry/protocol'
import { bytesOf, detached, type Message } from './message.ts'

/** Limits of all retained messages together; without them, one client that varies its topic takes all memory. */
const MAX_MESSAGES = 100_000
const MAX_BYTES = 64 * 1024 * 1024

type Retainable = Pick<Message, 'topic' | 'payload' | 'forwarded'>

/** The last message with the retain flag of each topic [MQTT-3.3.1-5]. */
export class RetainedStore {
  readonly #messages = new Map<string, Message>()
  readonly #maxMessages: number
  #bytes = 0

  constructor(maxMessages = MAX_MESSAGES) {
    this.#maxMessages = maxMessages
  }

  get size(): number {
    return this.#messages.size
  }

  /** Whether this message can be retained. One that removes another always can. */
  hasRoom(message: Retainable): boolean {
    const { topic, payload } = message
    if (payload.length === 0) return true
    const older = this.#messages.get(topic)
    const isOver = older === undefined && this.#messages.size >= this.#maxMessages
    return !isOver && this.#bytes - (older === undefined ? 0 : bytesOf(older)) + bytesOf(message) <= MAX_BYTES
  }

  /** An empty payload removes it [MQTT-3.3.1-6], [MQTT-3.3.1-7]. Without room for the new message, the older one stays. @returns false without room */
  put(message: Message): boolean {
    if (!this.hasRoom(message)) return false
    this.#delete(message.topic)
    if (message.payload.length === 0) return true
    this.#messages.set(message.topic, detached({ ...message, retain: true }))
    this.#bytes += bytesOf(message)
    return true
  }

  /** Those that match, read one by one: what is replaced meanwhile arrives as it is then. */
  *matching(filter: string, nowMs: () => number): Generator<Message, void, undefined> {
    const isExact = !/[+#]/.test(filter)
    const topics = isExact ? [filter] : [...this.#messages.keys()]
    for (const topic of topics) {
      const message = this.#messages.get(topic)
      if (message === undefined || !(isExact || topicMatches(filter, topic))) continue
      if (message.expiresAtMs !== null && nowMs() >= message.expiresAtMs) this.#delete(topic)
      else yield message
    }
  }

  #delete(topic: string): void {
    const older = this.#messages.get(topic)
    if (older === undefined) return
    this.#bytes -= bytesOf(older)
    this.#messages.delete(topic)
  }
}
