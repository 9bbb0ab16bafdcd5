/**
 * Calls back after a period of silence. Before that it lets the event loop turn once more, so that data that arrived
 * while this process was busy is read first, and counts.
 */
export class Patience {
  readonly #timer: NodeJS.Timeout
  #renewals = 0
  #hasEnded = false
  #isOver = false

  constructor(ms: number, onOver: () => void) {
    this.#timer = setTimeout(() => {
      const renewals = this.#renewals
      setImmediate(() => {
        if (this.#hasEnded || renewals !== this.#renewals) return
        this.#isOver = true
        onOver()
      })
    }, ms)
  }

  /** Whether it has called back. */
  get isOver(): boolean {
    return this.#isOver
  }

  renew(): void {
    this.#renewals++
    this.#timer.refresh()
  }

  end(): void {
    this.#hasEnded = true
    clearTimeout(this.#timer)
  }
}
