/** One password to check. */
export interface LoginAttempt {
  readonly address: string
  readonly username: string
  readonly clientId: string
  /** The account exists. */
  readonly isKnown: boolean
}

interface Waiting {
  /** Counts the attempts. */
  readonly number: number
  readonly address: string
  readonly clientId: string
  readonly run: () => Promise<unknown>
  readonly refuse: () => void
}

/** scrypt runs on the four threads that files and DNS need too, and PostgreSQL shares the processors. */
const CONCURRENCY = 2
/** Of one user name from one address. */
const MAX_SAME = 8
const MAX_WAITING = 1_000
/** Failed logins are forgotten after it. */
const MEMORY_MS = 60_000
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 5_000
const MAX_ADDRESSES = 10_000

/** More logins wait than the broker can check, or a later one of the same client was right. The client may try again. */
export class TooManyLogins extends Error {
  constructor() {
    super('too many logins at once')
    this.name = 'TooManyLogins'
  }
}

/**
 * The order in which passwords are checked, at about 10 ms each.
 *
 * - One check at a time for each address, two in all: no address keeps the others out.
 * - Accounts that exist come first, then user names and addresses take turns: 400 wrong logins at once keep a board
 *   out for one turn, also a board behind the same router. That this tells which accounts exist gives nothing away:
 *   they are named after devices, which are in the topics.
 * - Of one user name from one address, eight may wait. One more pushes out the oldest.
 * - The latest attempt of a client comes first. Where it is right, the earlier ones are refused: their connections are
 *   given up, and the one that logs in last would end the connection that is in use [MQTT-3.1.4-2].
 *
 * `penaltyMs` makes the answer to failed logins of one address later and later. It delays the refusal only, so that a
 * right password behind the same address still comes in at once.
 */
export class LoginQueue {
  /** By address and user name, in the order of their turns; known accounts and others. */
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

  /** The login failed. @returns how long the refusal is to wait */
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

  /** The latest attempt of the next in turn: who waited for an earlier one has most likely given up. */
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
