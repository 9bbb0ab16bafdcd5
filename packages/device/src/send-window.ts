/** What a broker without Receive Maximum takes: as many as there are packet identifiers [MQTT 5, 3.2.2.3.3]. */
const NO_MAXIMUM = 65_535

/**
 * The messages of one connection that the broker has not answered: at most its Receive Maximum [MQTT-3.3.4-9]. Sessions
 * that wait for room get it in the order in which they asked.
 */
export class SendWindow {
  readonly #maximum: number
  readonly #waiting = new Set<() => void>()
  #unanswered = 0

  constructor(receiveMaximum = NO_MAXIMUM) {
    this.#maximum = receiveMaximum
  }

  get hasRoom(): boolean {
    return this.#unanswered < this.#maximum
  }

  whenRoom(call: () => void): void {
    this.#waiting.add(call)
  }

  sent(): void {
    this.#unanswered++
  }

  answered(): void {
    this.#unanswered--
    for (const call of this.#waiting) {
      if (!this.hasRoom) return
      this.#waiting.delete(call)
      call()
    }
  }
}
