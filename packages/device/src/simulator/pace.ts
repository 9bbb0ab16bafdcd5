/**
 * Maps virtual to wall time: `speed` times as fast, from `startMs` on, but never ahead of the wall clock, since events
 * from the future are implausible. A start in the past catches up and then continues live.
 */
export class Pace {
  readonly #startMs: number
  readonly #speed: number
  readonly #startedAt = performance.now()
  readonly #signal: AbortSignal

  /** `signal` ends every wait at once. */
  constructor(startMs: number, speed: number, signal: AbortSignal) {
    this.#startMs = startMs
    this.#speed = speed
    this.#signal = signal
  }

  /** Waits until virtual time reaches `atMs`; returns at once if it has. */
  async until(atMs: number): Promise<void> {
    const bySpeed = this.#startedAt + (atMs - this.#startMs) / this.#speed - performance.now()
    const waitMs = Math.max(bySpeed, this.#speed === 1 ? 0 : atMs - Date.now())
    if (waitMs <= 0 || this.#signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, waitMs)
      this.#signal.addEventListener('abort', done)
    })
  }
}
