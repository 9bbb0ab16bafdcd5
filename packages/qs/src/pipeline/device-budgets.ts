/** What a device sends, by kind of budget. */
export interface Amounts {
  readonly messages: number
  /** Payload bytes. */
  readonly bytes: number
  readonly events: number
  readonly rejections: number
}

type Kind = keyof Amounts

/** The remainder of each budget; below 0 is debt. */
interface Account {
  readonly left: Record<Kind, number>
  /** When it was last refilled, on the monotonic clock. */
  filledMs: number
  /** When it was last in debt. */
  overMs: number
}

const KINDS: readonly Kind[] = ['messages', 'bytes', 'events', 'rejections']
const MAX_DEVICES = 10_000
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
    const { left } = account
    let debtSeconds = 0
    for (const kind of KINDS) {
      const perSecond = this.#perSecond[kind]
      left[kind] = Math.max(left[kind] - (spent[kind] ?? 0), -perSecond)
      debtSeconds = Math.max(debtSeconds, -left[kind] / perSecond)
    }
    if (debtSeconds > 0) account.overMs = nowMs
    return debtSeconds * 1_000
  }

  /** Devices that exceeded their budget in the last minute. */
  over(nowMs: number): readonly string[] {
    const devices: string[] = []
    for (const [deviceId, { overMs }] of this.#accounts) if (nowMs - overMs < SHOWN_MS) devices.push(deviceId)
    return devices
  }

  #accountOf(deviceId: string, nowMs: number): Account {
    const known = this.#accounts.get(deviceId)
    if (known !== undefined) {
      this.#fill(known, nowMs)
      return known
    }
    if (this.#accounts.size >= MAX_DEVICES) this.#forget(nowMs)
    const left = { messages: 0, bytes: 0, events: 0, rejections: 0 }
    for (const kind of KINDS) left[kind] = this.#perSecond[kind]
    const account = { left, filledMs: nowMs, overMs: Number.NEGATIVE_INFINITY }
    this.#accounts.set(deviceId, account)
    return account
  }

  #fill(account: Account, nowMs: number): void {
    const { left, filledMs } = account
    const seconds = (nowMs - filledMs) / 1_000
    account.filledMs = nowMs
    for (const kind of KINDS) {
      const perSecond = this.#perSecond[kind]
      left[kind] = Math.min(left[kind] + seconds * perSecond, perSecond)
    }
  }

  #forget(nowMs: number): void {
    for (const [deviceId, { filledMs, overMs }] of this.#accounts) {
      if (nowMs - filledMs > FULL_MS && nowMs - overMs > SHOWN_MS) this.#accounts.delete(deviceId)
    }
    if (this.#accounts.size >= MAX_DEVICES) this.#accounts.clear()
  }
}
