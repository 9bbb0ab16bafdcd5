import type { IPublishPacket } from 'mqtt-packet'
import type { Checker } from '../checker.ts'

/** Its only writer numbers its messages; one that clears it, without a payload, has a number too. */
interface Topic {
  /** The newest that was sent. */
  written: number
  isCleared: boolean
  /** The newest that this process has answered; 0: none. */
  acked: number
  /** `written` as this process began. */
  before: number
}

/** The topics as somebody subscribes. */
export interface Moment {
  readonly process: number
  readonly topics: ReadonlyMap<string, Readonly<Topic>>
}

export const RETAINED_NAMES = ['r/1', 'r/2', 'r/3'] as const
export const RETAINED_FILTER = 'r/+'

/**
 * What is retained, seen from outside of `qs up`. Whoever subscribes gets the newest message of each topic once, with the
 * retain flag [3.3.1.3]: none that is older than the last one answered before, none of a cleared topic.
 */
export class RetainedTopics {
  readonly #checker: Checker
  readonly #topics = new Map<string, Topic>(
    RETAINED_NAMES.map((name) => [name, { written: 0, isCleared: false, acked: 0, before: 0 }]),
  )
  /** Counts the processes. */
  process = 0

  constructor(checker: Checker) {
    this.#checker = checker
  }

  /** A process begins, without retained messages. */
  begin(): void {
    this.process++
    for (const topic of this.#topics.values()) {
      topic.acked = 0
      topic.before = topic.written
    }
  }

  get moment(): Moment {
    const topics = new Map([...this.#topics].map(([name, topic]) => [name, { ...topic }]))
    return { process: this.process, topics }
  }

  /** @returns the payload of the next message */
  write(name: string, isCleared: boolean): string {
    const topic = this.#topicOf(name)
    topic.written++
    topic.isCleared = isCleared
    return isCleared ? '' : String(topic.written)
  }

  /** The PUBACK of the newest has come, from this process. */
  answered(name: string, process: number): void {
    const topic = this.#topicOf(name)
    if (process === this.process) topic.acked = topic.written
  }

  /** A message has come to a client that subscribed then. */
  received({ topics }: Moment, { topic: name, payload, retain }: IPublishPacket): void {
    const text = payload.toString()
    const { written } = this.#topicOf(name)
    const acked = topics.get(name)?.acked ?? 0
    const isNewer = retain ? Number(text) >= Math.max(1, acked) : text === '' || Number(text) > acked
    if (isNewer && Number(text) <= written) return
    const what = retain ? 'the retained message' : 'the message'
    this.#violated(`${what} "${text}" of ${name} came after ${acked} was answered, of ${written}`)
  }

  /** These retained messages, and no more, have come since then. */
  judge(then: Moment, isDue: boolean, found: readonly string[]): void {
    if (then.process !== this.process) return
    for (const [name, { written, acked, before, isCleared }] of then.topics) {
      const isSettled = written === acked || written === before
      if (!isSettled || this.#topicOf(name).written !== written) continue
      const wanted = isDue && acked > 0 && !isCleared ? 1 : 0
      const count = found.filter((each) => each === name).length
      if (count !== wanted)
        this.#violated(`${count} retained messages of ${name}, where ${wanted} is right after ${written}`)
    }
  }

  #topicOf(name: string): Topic {
    const topic = this.#topics.get(name)
    if (topic === undefined) throw new Error(`Nobody writes to ${name}`)
    return topic
  }

  #violated(what: string): void {
    this.#checker.violations.push(what)
  }
}
