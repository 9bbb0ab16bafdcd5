import type { Client } from 'aedes'

/** A client whose durable session was refused. */
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
 * Limits the durable sessions of each account. A session holds its subscriptions and up to 8 MiB of messages even while
 * its client is away, and each new client id creates one: without a limit, one account fills the memory of all
 * sessions.
 */
export class SessionQuota {
  readonly #maxPerAccount: number
  readonly #isKnown: (clientId: string) => boolean
  readonly #kept = new Map<string, Kept>()
  readonly #counts = new Map<string, number>()
  #refused = 0
  #latest: QuotaRecord | null = null

  /** @param isKnown whether the session outlives the connection that created it */
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

  /** @returns false if this would be another durable session and the account is at its limit */
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
    // The connection may close before its session begins.
    conn.once('close', () => {
      if (this.#kept.get(id)?.conn === conn && !this.#isKnown(id)) this.forget(id)
    })
    return true
  }

  /** The session has ended. */
  forget(clientId: string): void {
    const kept = this.#kept.get(clientId)
    if (kept === undefined) return
    this.#kept.delete(clientId)
    const left = (this.#counts.get(kept.account) ?? 1) - 1
    if (left > 0) this.#counts.set(kept.account, left)
    else this.#counts.delete(kept.account)
  }
}
