import type session from '@fastify/session'
import type { Session } from 'fastify'

/**
 * A household has a handful of browsers; an office behind a proxy that is not in HTTP_TRUSTED_PROXIES has one address.
 */
const [MAX_OF_ADDRESS, MAX_SESSIONS] = [50, 1_000]

/**
 * The sessions of the console, in memory. The library's own store keeps every session until logout, and a script that
 * logs in for each request never logs out. Here, a login removes expired sessions and, above a limit, the oldest
 * session: first one of the same address, so that no client can end the sessions of others.
 */
export class SessionStore implements session.SessionStore {
  /** Oldest first. */
  readonly #sessions = new Map<string, Session>()

  get size(): number {
    return this.#sessions.size
  }

  set(id: string, session: Session, done: () => void): void {
    if (!this.#sessions.has(id)) this.#makeRoom(session.address)
    this.#sessions.set(id, session)
    done()
  }

  get(id: string, done: (error: null, session: Session | null) => void): void {
    done(null, this.#sessions.get(id) ?? null)
  }

  destroy(id: string, done: () => void): void {
    this.#sessions.delete(id)
    done()
  }

  #makeRoom(address: string | undefined): void {
    const now = Date.now()
    for (const [id, { endsAt = 0 }] of this.#sessions) if (endsAt <= now) this.#sessions.delete(id)
    const sameAddress = [...this.#sessions].filter(([, each]) => each.address === address)
    const [oldest] = sameAddress.length >= MAX_OF_ADDRESS ? sameAddress : this.#sessions
    const isFull = sameAddress.length >= MAX_OF_ADDRESS || this.size >= MAX_SESSIONS
    if (isFull && oldest !== undefined) this.#sessions.delete(oldest[0])
  }
}
