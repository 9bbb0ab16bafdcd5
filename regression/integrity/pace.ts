const TICK_MS = 20
/** After a pause of this process, it continues at its pace instead of all at once. */
const MAX_BURST_MS = 500

/** Calls `send` at a steady pace while it runs. */
export class Pace {
  readonly #perSecond: number
  readonly #send: () => void
  #timer: NodeJS.Timeout | null = null
  /** Calls due by the clock and not made yet. */
  #owed = 0

  constructor(perSecond: number, send: () => void) {
    this.#perSecond = perSecond
    this.#send = send
  }

  /** Does nothing if it runs already. */
  start(): void {
    if (this.#timer !== null) return
    let lastMs = performance.now()
    this.#timer = setInterval(() => {
      const nowMs = performance.now()
      this.#owed += (Math.min(nowMs - lastMs, MAX_BURST_MS) / 1_000) * this.#perSecond
      lastMs = nowMs
      for (; this.#owed >= 1; this.#owed--) this.#send()
    }, TICK_MS)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}
