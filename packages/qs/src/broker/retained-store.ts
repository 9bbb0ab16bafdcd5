import { topicMatches } from '@qs-telemetry/protocol'
import { detached, type Message } from './message.ts'

/** The last message with the retain flag of each topic [MQTT-3.3.1-5]. */
export class RetainedStore {
  readonly #messages = new Map<string, Message>()

  get size(): number {
    return this.#messages.size
  }

  /** An empty payload removes it [MQTT-3.3.1-6], [MQTT-3.3.1-7]. */
  put(message: Message): void {
    if (message.payload.length === 0) this.#messages.delete(message.topic)
    else this.#messages.set(message.topic, detached({ ...message, retain: true }))
  }

  /** Those that match, read one by one: what is replaced meanwhile arrives as it is then. */
  *matching(filter: string, nowMs: () => number): Generator<Message, void, undefined> {
    const isExact = !/[+#]/.test(filter)
    const topics = isExact ? [filter] : [...this.#messages.keys()]
    for (const topic of topics) {
      const message = this.#messages.get(topic)
      if (message === undefined || !(isExact || topicMatches(filter, topic))) continue
      if (message.expiresAtMs !== null && nowMs() >= message.expiresAtMs) this.#messages.delete(topic)
      else yield message
    }
  }
}
