/** A message that waits for its answer. */
export interface Unanswered {
  settle(): void
}

/** An object with a method: a closure for each would be two objects more. */
class Entry implements Unanswered {
  readonly packetId: number
  readonly #window: Window
  isSettled = false

  constructor(packetId: number, window: Window) {
    this.packetId = packetId
    this.#window = window
  }

  settle(): void {
    this.isSettled = true
    this.#window.advance()
  }
}

/**
 * The QoS 1 messages of one connection that are not yet answered. PUBACKs leave in the order in which the
 * messages came [MQTT-4.6.0-2], whatever the order in which they are settled: batches of two writers commit as
 * they please.
 *
 * It belongs to one connection and ends with it, and so no PUBACK ever crosses to another: what is settled after
 * the end is redelivered there and meets its own rows.
 */
export class Window {
  readonly #puback: (packetId: number) => void
  readonly #entries: Entry[] = []
  #head = 0

  constructor(puback: (packetId: number) => void) {
    this.#puback = puback
  }

  /** Takes a message in, until it is settled. */
  open(packetId: number): Unanswered {
    const entry = new Entry(packetId, this)
    this.#entries.push(entry)
    return entry
  }

  /** Answers what is due. */
  advance(): void {
    for (let entry = this.#entries[this.#head]; entry?.isSettled; entry = this.#entries[++this.#head]) {
      this.#puback(entry.packetId)
    }
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head)
      this.#head = 0
    }
  }
}
