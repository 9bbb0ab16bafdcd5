import type { Checker } from '../checker.ts'
import type { Gauges, IngesterProcess } from './ingester.ts'

const INTERVAL_MS = 1_000

export interface WatchOptions {
  /** The high watermark plus what one read of the socket can add. */
  readonly maxMessagesInFlight: number
}

/**
 * Checks an ingester every second: whether its numbers add up, whether what is in flight is bounded, and its memory.
 * It skips a process that is frozen or has ended.
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

  /** Peak of all processes so far. */
  get peakMb(): number {
    return this.#peakMb
  }

  get last(): Gauges | null {
    return this.#last
  }

  /** Peak resident memory since the last call. */
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
