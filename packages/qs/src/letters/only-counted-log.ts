import type { CallOff, Clock } from '../pipeline/clock.ts'
import type { BatchResult, Message } from '../pipeline/message.ts'
import type { Log } from '../telemetry/log.ts'

const INTERVAL_MS = 60_000
/** Number of devices named in a log line, so that a flood of ids does not fill the log either. */
const MAX_NAMED = 20

/** Logs which devices have dead letters that are only counted: at once, then once a minute. */
export class OnlyCountedLog {
  readonly #log: Log
  readonly #clock: Clock
  readonly #counts = new Map<string, number>()
  #total = 0
  #callOff: CallOff | undefined

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  look(batch: readonly Message[], result: BatchResult): void {
    for (const [index, outcomes] of result.entries()) {
      let count = 0
      for (const outcome of outcomes) if (outcome.kind === 'rejection' && outcome.onlyCounted) count++
      if (count > 0) this.#add(batch[index]?.deviceId ?? '(none)', count)
    }
  }

  /** Logs what is left. */
  stop(): void {
    this.#callOff?.()
    this.#say()
  }

  #add(device: string, count: number): void {
    this.#total += count
    const known = this.#counts.get(device)
    if (known !== undefined || this.#counts.size < MAX_NAMED) this.#counts.set(device, (known ?? 0) + count)
    if (this.#callOff === undefined) this.#next()
  }

  #next(): void {
    this.#callOff = undefined
    if (this.#total === 0) return
    this.#say()
    this.#callOff = this.#clock.after(INTERVAL_MS, () => this.#next())
  }

  #say(): void {
    if (this.#total === 0) return
    this.#log.error(
      { counted: this.#total, devices: Object.fromEntries(this.#counts) },
      'More dead letters than DEAD_LETTER_RATE or DEAD_LETTER_BYTES allow: the excess is only counted. ' +
        'Fix the device; qs deadletter ls shows what it sends',
    )
    this.#total = 0
    this.#counts.clear()
  }
}
