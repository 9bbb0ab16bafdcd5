export interface LetterRates {
  readonly lettersPerMinute: number
  /** Of payload. */
  readonly bytesPerMinute: number
}

interface Bucket {
  letters: number
  bytes: number
  /** When it was last filled up, on the monotonic clock. */
  filledMs: number
}

/** The devices that share one allowance: those without an id, and newcomers when there are too many. */
export const OTHERS = ''
const MAX_DEVICES = 1_000
/** Longer ids would not fit into the key of a table. The contract allows 128 bytes. */
const MAX_ID_LENGTH = 256
const SWEEP_MS = 1_000
const MINUTE_MS = 60_000

/**
 * How many dead letters each device may still leave, so that a flood of poison does not fill the disk.
 *
 * A device has a bucket that holds what a minute allows and fills up steadily. A letter is kept while there is
 * something in it; one that is larger than what is left leaves a debt, so that also the largest letter can be
 * kept once.
 *
 * Memory is bounded whatever ids arrive: a bucket that is full again is forgotten, and beyond a thousand that
 * are not, newcomers share one.
 */
export class LetterAllowance {
  readonly #rates: LetterRates
  readonly #buckets = new Map<string, Bucket>()
  #sweptMs = Number.NEGATIVE_INFINITY

  constructor(rates: LetterRates) {
    this.#rates = rates
  }

  /** Devices that have less than their full allowance; for the tests of its bound. */
  get size(): number {
    return this.#buckets.size
  }

  /** Under whose name the letters of a device are counted: its own, or that of the others. */
  nameOf(deviceId: string | null, nowMs: number): string {
    if (deviceId === null || deviceId.length > MAX_ID_LENGTH) return OTHERS
    if (this.#buckets.has(deviceId) || this.#buckets.size < MAX_DEVICES) return deviceId
    this.#sweep(nowMs)
    return this.#buckets.size < MAX_DEVICES ? deviceId : OTHERS
  }

  /** Whether a letter may be kept; then it is charged. */
  take(name: string, bytes: number, nowMs: number): boolean {
    const bucket = this.#bucketOf(name, nowMs)
    if (bucket.letters < 1 || bucket.bytes <= 0) return false
    bucket.letters -= 1
    bucket.bytes -= bytes
    return true
  }

  /** The transaction was not committed: what was charged for it is given back. */
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
