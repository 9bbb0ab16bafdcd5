/** A message that has not been answered. */
export interface Unanswered {
  readonly isSettled: boolean
  settle(): void
}

/** Answers a message: PUBACK for QoS 1, PUBREC for QoS 2. */
export type Answer = (packetId: number, qos: 1 | 2) => void

/** An object with a method: a closure for each message would take two more objects. */
class Entry implements Unanswered {
  readonly packetId: number
  readonly qos: 1 | 2
  readonly #window: Window
  isSettled = false

  constructor(packetId: number, qos: 1 | 2, window: Window) {
    this.packetId = packetId
    this.qos = qos
    this.#window = window
  }

  settle(): void {
    this.isSettled = true
    this.#window.advance()
  }
}

/**
 * The unanswered messages of one connection. PUBACKs and PUBRECs are sent in the order in which the messages arrived
 * [MQTT-4.6.0-2, MQTT-4.6.0-3], whatever the order in which they are settled: two writers commit independently.
 *
 * A window ends with its connection, so an answer is never sent on another one: a message that is settled afterwards is
 * redelivered on the next connection and is then a duplicate.
 */
export class Window {
  readonly #answer: Answer
  readonly #entries: Entry[] = []
  #head = 0

  constructor(answer: Answer) {
    this.#answer = answer
  }

  /** Adds a message until it is settled. */
  open(packetId: number, qos: 1 | 2 = 1): Unanswered {
    const entry = new Entry(packetId, qos, this)
    this.#entries.push(entry)
    return entry
  }

  /** Answers all settled messages at the head. */
  advance(): void {
    for (let entry = this.#entries[this.#head]; entry?.isSettled; entry = this.#entries[++this.#head]) {
      this.#answer(entry.packetId, entry.qos)
    }
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head)
      this.#head = 0
    }
  }
}
