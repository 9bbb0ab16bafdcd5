/** What a device sends, by kind of budget. */
export interface Amounts {
  readonly messages: number
  /** Payload bytes. */
  readonly bytes: number
  readonly events: number
  readonly rejections: number
}

/** The remainder of each budget; below 0 is debt. */
interface Account extends Writable<Amounts> {
  /** When it was last refilled, on the monotonic clock. */
  filledMs: number
  /** When it was last in debt. */
  overMs: number
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

const MAX_DEVICES = 10_000
/** Longer ids, which no device of the contract has, share the budget of their beginning. */
const MAX_ID_LENGTH = 256
/** How long a device is reported as over budget. */
const SHOWN_MS = 60_000
/** From the deepest debt to a full bucket. */
const FULL_MS = 2_000

/**
 * The budgets of devices: a token bucket for each device and kind, which holds the allowance of one second. Anything
 * beyond it is a debt, of one second at most, and the device should send nothing more until it is paid.
 *
 * A larger bucket would not help: a device with a backlog sends it at the rate of its budget anyway, and when a device
 * empties its bucket at once, all others wait for the contents.
 *
 * Memory is bounded whatever ids arrive: beyond ten thousand devices those with a full bucket are forgotten, and if
 * none has a full bucket, all start over.
 */
export class DeviceBudgets {
  readonly #perSecond: Amounts
  readonly #accounts = new Map<string, Account>()

  constructor(perSecond: Amounts) {
    this.#perSecond = perSecond
  }

  /** @returns milliseconds until this device has paid its debt; 0 within its budget */
  charge(deviceId: string, spent: Partial<Amounts>, nowMs: number): number {
    const account = this.#accountOf(deviceId, nowMs)
    const seconds = (nowMs - account.filledMs) / 1_000
    account.filledMs = nowMs
    const { messages, bytes, events, rejections } = this.#perSecond
    // Field by field: with a loop over their names, charging took 7 % of the time of an event.
    account.messages = left(account.messages + seconds * messages, spent.messages, messages)
    account.bytes = left(account.bytes + seconds * bytes, spent.bytes, bytes)
    account.events = left(account.events + seconds * events, spent.events, events)
    account.rejections = left(account.rejections + seconds * rejections, spent.rejections, rejections)
    const least = Math.min(
      account.messages / messages,
      account.bytes / bytes,
      account.events / events,
      account.rejections / rejections,
    )
    if (least >= 0) return 0
    account.overMs = nowMs
    return -least * 1_000
  }

  /** Devices that exceeded their budget in the last minute. */
  over(nowMs: number): readonly string[] {
    const devices: string[] = []
    for (const [deviceId, { overMs }] of this.#accounts) if (nowMs - overMs < SHOWN_MS) devices.push(deviceId)
    return devices
  }

  #accountOf(id: string, nowMs: number): Account {
    const deviceId = id.length <= MAX_ID_LENGTH ? id : beginningOf(id)
    const known = this.#accounts.get(deviceId)
    if (known !== undefined) return known
    if (this.#accounts.size >= MAX_DEVICES) this.#forget(nowMs)
    const account = { ...this.#perSecond, filledMs: nowMs, overMs: Number.NEGATIVE_INFINITY }
    this.#accounts.set(deviceId, account)
    return account
  }

  #forget(nowMs: number): void {
    for (const [deviceId, { filledMs, overMs }] of this.#accounts) {
      if (nowMs - filledMs > FULL_MS && nowMs - overMs > SHOWN_MS) this.#accounts.delete(deviceId)
    }
    if (this.#accounts.size >= MAX_DEVICES) this.#accounts.clear()
  }
}

/** As a text of its own: a slice keeps the whole text in memory. */
function beginningOf(id: string): string {
  return Buffer.from(id.slice(0, MAX_ID_LENGTH)).toString()
}

/** A bucket holds the allowance of one second, and a debt is at most as much. */
function left(filled: number, spent: number | undefined, perSecond: number): number {
  return Math.max(Math.min(filled, perSecond) - (spent ?? 0), -perSecond)
}
