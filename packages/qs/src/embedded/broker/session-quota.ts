import type { Client } from 'aedes'

/** A client whose session was refused. */
export interface QuotaRecord {
  readonly client: string
  readonly account: string
  readonly atMs: number
}

interface Kept {
  readonly account: string
  readonly conn: object
}

/**
 * How many lasting sessions each account has. Each holds its subscriptions and up to 8 MiB of messages also while its
 * client is away, and a new client id makes a new one: without a bound one account fills the memory of all sessions.
 */
export class SessionQuota {
  readonly #maxPerAccount: number
  readonly #isKnown: (clientId: string) => boolean
  readonly #kept = new Map<string, Kept>()
  readonly #counts = new Map<string, number>()
  #refused = 0
  #latest: QuotaRecord | null = null

  /** @param isKnown whether the session outlives the connection that made it */
  constructor(maxPerAccount: number, isKnown: (clientId: string) => boolean) {
    this.#maxPerAccount = maxPerAccount
    this.#isKnown = isKnown
  }

  /** Sessions refused since the start. */
  get refused(): number {
    return this.#refused
  }

  get latest(): QuotaRecord | null {
    return this.#latest
  }

  /** @returns false: the account has as many lasting sessions as it may, and this would be another one */
  admit({ id, clean, conn }: Client, account: string): boolean {
    if (clean || this.#kept.has(id)) return true
    const count = this.#counts.get(account) ?? 0
    if (count >= this.#maxPerAccount) {
      this.#refused++
      this.#latest = { client: id, account, atMs: performance.now() }
      return false
    }
    this.#kept.set(id, { account, conn })
    this.#counts.set(account, count + 1)
    // The connection may end before its session begins.
    conn.once('close', () => {
      if (this.#kept.get(id)?.conn === conn && !this.#isKnown(id)) this.forget(id)
    })
    return true
  }

  /** The session is over. */
  forget(clientId: string): void {
    const kept = this.#kept.get(clientId)
    if (kept === undefined) return
    this.#kept.delete(clientId)
    const left = (this.#counts.get(kept.account) ?? 1) - 1
    if (left > 0) this.#counts.set(kept.account, left)
    else this.#counts.delete(kept.account)
  }
}
