/** What a device sends, of each kind that costs something. */
export interface Amounts {
  readonly messages: number
  /** Of payload. */
  readonly bytes: number
  readonly events: number
  readonly rejections: number
}

type Kind = keyof Amounts

/** What is left of each kind; below 0 is debt. */
interface Account {
  readonly left: Record<Kind, number>
  /** When it was last filled up, on the monotonic clock. */
  filledMs: number
  /** When it was last in debt. */
  overMs: number
}

const KINDS: readonly Kind[] = ['messages', 'bytes', 'events', 'rejections']
const MAX_DEVICES = 10_000
/** So long a device counts as one that exceeds its budget. */
const SHOWN_MS = 60_000
/** From the deepest debt to a full bucket. */
const FULL_MS = 2_000

/**
 * The budgets of devices: a token bucket for each device and kind, which holds what a second allows. What a device sends
 * beyond it is a debt, of a second at most, and the device should send nothing more until it is paid.
 *
 * A larger bucket would spare nobody: a device with a backlog sends it at the speed of its budget, and what a bucket
 * holds is what all others wait for when a device empties it at once.
 *
 * Memory is bounded whatever ids arrive: beyond ten thousand devices those with a full bucket are forgotten, and if all
 * of them have spent something, all begin anew.
 */
export class DeviceBudgets {
  readonly #perSecond: Amounts
  readonly #accounts = new Map<string, Account>()

  constructor(perSecond: Amounts) {
    this.#perSecond = perSecond
  }

  /** @returns the milliseconds until this device has paid for what it sent; 0 within its budget */
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
