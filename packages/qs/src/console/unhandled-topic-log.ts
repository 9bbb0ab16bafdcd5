import type { EventTopic } from '@qs-telemetry/protocol'
import type { UnhandledTopics } from '@qs-telemetry/protocol/api'
import { isAlertTopic } from '../accounts/alert-topics.ts'

/** A message that a client sent to the broker. */
export interface Arrival {
  /** null: unknown. */
  readonly clientId: string | null
  readonly topic: string
  /** Whether the account of the client may publish there. */
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
 * Messages on topics that are not ingested, such as qs/v1/kitchen/event: counted, with one sample per topic. A client
 * can invent any number of topics, so the topic quiet for longest is dropped first.
 */
export class UnhandledTopicLog {
  readonly #events: EventTopic
  /** Newest last. */
  readonly #entries = new Map<string, Entry>()
  #more = 0

  constructor(events: EventTopic) {
    this.#events = events
  }

  /** Records a message, except those on event topics and on the broker's own topics. */
  came({ topic, clientId, isAllowed, payload }: Arrival, nowMs: number): void {
    if (
      topic.startsWith('$') ||
      isAlertTopic(topic) ||
      (isAllowed && this.#events.deviceIdOf(topic) !== null)
    )
      return
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

  /** An event topic in this list was refused for its client and is not misspelt. */
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
