import type { EventTopic } from '@qs-telemetry/protocol'
import type { UnhandledTopics } from '@qs-telemetry/protocol/api'

/** A message that a client has sent to the broker. */
export interface Arrival {
  /** null: the broker does not tell. */
  readonly clientId: string | null
  readonly topic: string
  /** The account of the client may publish there. */
  readonly isAllowed: boolean
  readonly payload: string | Buffer
}

interface Entry {
  messages: number
  lastMs: number
  clientId: string | null
  isAllowed: boolean
  payload: string
}

const [MAX_TOPICS, MAX_TOPIC_CHARACTERS, MAX_PAYLOAD_BYTES] = [100, 200, 200]

/**
 * What came in on topics that nobody takes in, such as qs/v1/kitchen/event: counted, with one message of each. A client
 * may invent any number of topics, so the one that was quiet the longest gives way.
 */
export class UnhandledTopicLog {
  readonly #events: EventTopic
  /** The newest last. */
  readonly #entries = new Map<string, Entry>()
  #more = 0

  constructor(events: EventTopic) {
    this.#events = events
  }

  /** Looks at each message: those of events and of the broker's own topics are left out. */
  came({ topic, clientId, isAllowed, payload }: Arrival, nowMs: number): void {
    if (topic.startsWith('$') || (isAllowed && this.#events.deviceIdOf(topic) !== null)) return
    const name = topic.slice(0, MAX_TOPIC_CHARACTERS)
    const messages = (this.#entries.get(name)?.messages ?? 0) + 1
    this.#entries.delete(name)
    const sample = Buffer.from(payload.slice(0, MAX_PAYLOAD_BYTES)).toString()
    this.#entries.set(name, { messages, lastMs: nowMs, clientId, isAllowed, payload: sample })
    if (this.#entries.size > MAX_TOPICS) this.#forgetOldest()
  }

  list(): UnhandledTopics {
    const topics = [...this.#entries].reverse().map(([topic, { lastMs, ...entry }]) => ({
      ...{ topic, ...entry },
      lastAt: new Date(lastMs).toISOString(),
      likelyTopic: this.#likely(topic),
    }))
    const isFixable = ({ likelyTopic }: (typeof topics)[number]) => Number(likelyTopic !== null)
    const fixableFirst = topics.toSorted((a, b) => isFixable(b) - isFixable(a))
    return { topics: fixableFirst, more: this.#more, isSampled: false, problem: null }
  }

  /** A topic of events that is here was refused for its client: nothing about it is misspelt. */
  #likely(topic: string): string | null {
    return this.#events.deviceIdOf(topic) === null ? this.#events.likelyFor(topic) : null
  }

  #forgetOldest(): void {
    const [oldest] = this.#entries
    if (oldest === undefined) return
    this.#more += oldest[1].messages
    this.#entries.delete(oldest[0])
  }
}
