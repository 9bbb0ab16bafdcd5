interface Entry {
  readonly packetId: number
  settled: boolean
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

  /** Takes a message in; the answer settles it. */
  open(packetId: number): () => void {
    const entry: Entry = { packetId, settled: false }
    this.#entries.push(entry)
    return () => {
      entry.settled = true
      this.#advance()
    }
  }

  #advance(): void {
    for (let entry = this.#entries[this.#head]; entry?.settled; entry = this.#entries[++this.#head]) {
      this.#puback(entry.packetId)
    }
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head)
      this.#head = 0
    }
  }
}
