/** One password to check. */
export interface LoginAttempt {
  readonly address: string
  readonly username: string
  readonly clientId: string
  /** Whether the account exists. */
  readonly isKnown: boolean
}

interface Waiting {
  /** Sequence number of the attempt. */
  readonly number: number
  readonly address: string
  readonly clientId: string
  readonly run: () => Promise<unknown>
  readonly refuse: () => void
}

/** scrypt shares its four threads with files and DNS, and the processors with PostgreSQL. */
const CONCURRENCY = 2
/** Per user name and address. */
const MAX_SAME = 8
const MAX_WAITING = 1_000
/** Failed logins are forgotten after this time. */
const MEMORY_MS = 60_000
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 5_000
const MAX_ADDRESSES = 10_000

/** Too many logins are waiting, or a later attempt of the same client succeeded. The client may retry. */
export class TooManyLogins extends Error {
  constructor() {
    super('too many logins at once')
    this.name = 'TooManyLogins'
  }
}

/**
 * Determines the order of password checks, which take about 10 ms each.
 *
 * - One check at a time per address, two in total, so that no address can block the others.
 * - Existing accounts come first, then user names and addresses take turns: 400 concurrent wrong logins delay a board
 *   by one turn, even behind the same router. This reveals which accounts exist, but they are named after devices,
 *   which appear in topics anyway.
 * - Up to eight attempts per user name and address may wait. One more displaces the oldest.
 * - The latest attempt of a client comes first. If it succeeds, the earlier ones are refused: their connections are
 *   abandoned, and a later login of one would end the connection in use [MQTT-3.1.4-2].
 *
 * `penaltyMs` increasingly delays the answer to failed logins from one address. It delays only the refusal, so a
 * correct password from the same address is still accepted at once.
 */
export class LoginQueue {
  /** By address and user name, in order of their turns, for existing accounts and others. */
  readonly #known = new Map<string, Waiting[]>()
  readonly #unknown = new Map<string, Waiting[]>()
  readonly #busy = new Set<string>()
  readonly #failures = new Map<string, { count: number; atMs: number }>()
  #waiting = 0
  #attempts = 0

  /** @throws TooManyLogins */
  check(
    { address, username, clientId, isKnown }: LoginAttempt,
    isRight: () => Promise<boolean>,
  ): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const refuse = () => reject(new TooManyLogins())
      if (this.#waiting >= MAX_WAITING && !isKnown) return refuse()
      const lane = isKnown ? this.#known : this.#unknown
      const key = `${address} ${username}`
      const same = lane.get(key) ?? []
      lane.set(key, same)
      const number = ++this.#attempts
      const run = async () => {
        const result = await isRight()
        if (result) this.#refuse(lane, key, (each) => each.clientId === clientId && each.number < number)
        resolve(result)
      }
      same.push({ number, address, clientId, refuse, run: () => run().catch(reject) })
      this.#waiting++
      if (same.length > MAX_SAME) {
        this.#waiting--
        same.shift()?.refuse()
      }
      this.#go()
    })
  }

  #refuse(lane: Map<string, Waiting[]>, key: string, isOver: (waiting: Waiting) => boolean): void {
    const same = lane.get(key) ?? []
    const rest = same.filter((each) => !isOver(each))
    this.#waiting -= same.length - rest.length
    if (rest.length > 0) lane.set(key, rest)
    else lane.delete(key)
    for (const each of same) if (isOver(each)) each.refuse()
  }

  /** Records a failed login. @returns the delay of the refusal */
  penaltyMs(address: string, nowMs = performance.now()): number {
    const known = this.#failures.get(address)
    const isFresh = known !== undefined && nowMs - known.atMs < MEMORY_MS
    const count = isFresh ? known.count + 1 : 1
    this.#failures.delete(address)
    this.#failures.set(address, { count, atMs: nowMs })
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > MAX_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest)
    return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(count - 1, 10))
  }

  #go(): void {
    while (this.#busy.size < CONCURRENCY) {
      const next = this.#take(this.#known) ?? this.#take(this.#unknown)
      if (next === undefined) return
      this.#busy.add(next.address)
      next.run().finally(() => {
        this.#busy.delete(next.address)
        this.#go()
      })
    }
  }

  /** The latest attempt of the next in turn, since clients of earlier attempts have most likely given up. */
  #take(lane: Map<string, Waiting[]>): Waiting | undefined {
    for (const [key, same] of lane) {
      if (this.#busy.has(same[0]?.address ?? '')) continue
      const next = same.pop()
      lane.delete(key)
      if (same.length > 0) lane.set(key, same)
      this.#waiting--
      return next
    }
    return undefined
  }
}
