export interface LetterRates {
  readonly lettersPerMinute: number
  /** Payload bytes. */
  readonly bytesPerMinute: number
}

interface Bucket {
  letters: number
  bytes: number
  /** When it was last refilled, on the monotonic clock. */
  filledMs: number
}

/** Stands for devices that share one allowance: those without an id, and new ones beyond the maximum. */
export const OTHERS = ''
const MAX_DEVICES = 1_000
/** Longer ids would not fit into the key of the table. The contract allows 128 bytes. */
const MAX_ID_LENGTH = 256
const SWEEP_MS = 1_000
const MINUTE_MS = 60_000

/**
 * Limits the dead letters of each device, so that a flood of poison does not fill the disk.
 *
 * A device has a bucket that holds the allowance of one minute and refills steadily. A dead letter is kept while the
 * bucket is not empty; one larger than the rest leaves a debt, so that even the largest one can be kept once.
 *
 * Memory is bounded whatever ids arrive: a bucket that is full again is dropped, and beyond a thousand others, new
 * devices share one.
 */
export class LetterAllowance {
  readonly #rates: LetterRates
  readonly #buckets = new Map<string, Bucket>()
  #sweptMs = Number.NEGATIVE_INFINITY

  constructor(rates: LetterRates) {
    this.#rates = rates
  }

  /** Number of buckets; for tests of the bound. */
  get size(): number {
    return this.#buckets.size
  }

  /** The name under which the dead letters of a device are counted: its own, or OTHERS. */
  nameOf(deviceId: string | null, nowMs: number): string {
    if (deviceId === null || deviceId.length > MAX_ID_LENGTH) return OTHERS
    if (this.#buckets.has(deviceId) || this.#buckets.size < MAX_DEVICES) return deviceId
    this.#sweep(nowMs)
    return this.#buckets.size < MAX_DEVICES ? deviceId : OTHERS
  }

  /** Whether a dead letter may be kept; if so, it is charged. */
  take(name: string, bytes: number, nowMs: number): boolean {
    const bucket = this.#bucketOf(name, nowMs)
    if (bucket.letters < 1 || bucket.bytes <= 0) return false
    bucket.letters -= 1
    bucket.bytes -= bytes
    return true
  }

  /** The transaction was not committed: the charge is returned. */
  giveBack(name: string, bytes: number): void {
    const bucket = this.#buckets.get(name)
    if (bucket === undefined) return
    bucket.letters += 1
    bucket.bytes += bytes
  }

  #bucketOf(name: string, nowMs: number): Bucket {
    const known = this.#buckets.get(name)
    if (known === undefined) {
      const { lettersPerMinute, bytesPerMinute } = this.#rates
      const bucket = { letters: lettersPerMinute, bytes: bytesPerMinute, filledMs: nowMs }
      this.#buckets.set(name, bucket)
      return bucket
    }
    this.#fill(known, nowMs)
    return known
  }

  #fill(bucket: Bucket, nowMs: number): void {
    const { lettersPerMinute, bytesPerMinute } = this.#rates
    const minutes = (nowMs - bucket.filledMs) / MINUTE_MS
    bucket.letters = Math.min(lettersPerMinute, bucket.letters + minutes * lettersPerMinute)
    bucket.bytes = Math.min(bytesPerMinute, bucket.bytes + minutes * bytesPerMinute)
    bucket.filledMs = nowMs
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < SWEEP_MS) return
    this.#sweptMs = nowMs
    const { lettersPerMinute, bytesPerMinute } = this.#rates
    for (const [name, bucket] of this.#buckets) {
      this.#fill(bucket, nowMs)
      if (bucket.letters >= lettersPerMinute && bucket.bytes >= bytesPerMinute) this.#buckets.delete(name)
    }
  }
}
