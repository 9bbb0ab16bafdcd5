import type { Checker } from '../checker.ts'
import type { Gauges, IngesterProcess } from './ingester.ts'

const INTERVAL_MS = 1_000

export interface WatchOptions {
  /** More at once than the watermark: what one read of the socket can bring on top. */
  readonly maxMessagesInFlight: number
}

/**
 * Looks at an ingester every second: whether its numbers add up, whether what is in flight is bounded, and its
 * memory. A process that is frozen, or ended between two looks, is not seen then.
 */
export class Watch {
  readonly #ingester: IngesterProcess
  readonly #checker: Checker
  readonly #options: WatchOptions
  readonly #timer: NodeJS.Timeout
  #looks = 0
  #peakMb = 0
  #residentMb = 0
  #last: Gauges | null = null

  constructor(ingester: IngesterProcess, checker: Checker, options: WatchOptions) {
    this.#ingester = ingester
    this.#checker = checker
    this.#options = options
    this.#timer = setInterval(() => void this.look(), INTERVAL_MS)
    this.#timer.unref()
  }

  get looks(): number {
    return this.#looks
  }

  /** Of all processes so far. */
  get peakMb(): number {
    return this.#peakMb
  }

  get last(): Gauges | null {
    return this.#last
  }

  /** The most resident since the last call. */
  takeResidentMb(): number {
    const most = this.#residentMb
    this.#residentMb = 0
    return most
  }

  async look(): Promise<void> {
    if (!this.#ingester.isRunning) return
    const memory = this.#ingester.memory()
    this.#peakMb = Math.max(this.#peakMb, memory?.peakMb ?? 0)
    this.#residentMb = Math.max(this.#residentMb, memory?.residentMb ?? 0)
    const gauges = await this.#ingester.gauges()
    if (gauges === null) return
    this.#looks++
    this.#last = gauges
    this.#checker.counted(gauges)
    this.#checker.held('messages', gauges.messagesInFlight, this.#options.maxMessagesInFlight)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
