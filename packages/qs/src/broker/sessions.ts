import type { Connect, Will } from '../mqtt/connect-packet.ts'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import { type Message, NO_FORWARDED } from './message.ts'
import type { Router } from './router.ts'
import { Session } from './session.ts'
import type { SessionLimits } from './session-limits.ts'

export interface SessionsOptions {
  readonly router: Router
  readonly limits: SessionLimits
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>
  /** Sessions per account that outlast their connection. */
  readonly maxPerAccount: number
}

/** A session whose connection has ended. */
interface Left {
  /** The will, not yet published. */
  publishWill: (() => void) | null
  readonly timers: CallOff[]
}

/** The maximum of a timer, 24 days. Sessions do not outlive the process. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * All sessions by client id: their beginning, their expiry [3.1.2.11.2] and their wills.
 *
 * A will is published after its delay or at the end of the session, whichever comes first, and not at all if the client
 * is back before [MQTT-3.1.3-9].
 */
export class Sessions {
  readonly #options: SessionsOptions
  readonly #sessions = new Map<string, Session>()
  readonly #left = new Map<string, Left>()
  /** Lasting sessions by account. */
  readonly #lasting = new Map<string, number>()

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId)
  }

  /**
   * The session of a client that has logged in and whose earlier connection has ended.
   *
   * @returns null if its account has as many lasting sessions as it may have
   */
  begin(
    { clientId, cleanStart, expirySeconds }: Connect,
    account: string,
  ): { readonly session: Session; readonly isPresent: boolean } | null {
    const isLasting = expirySeconds > 0
    const older = this.#sessions.get(clientId)
    const isKept = older !== undefined && !cleanStart
    if (isLasting && !(older !== undefined && older.expirySeconds > 0) && !this.#hasRoom(account)) return null
    if (older !== undefined && !isKept) this.end(clientId)
    else this.#back(clientId)
    const session = isKept ? older : new Session(clientId, account, this.#options.limits)
    this.#sessions.set(clientId, session)
    this.setExpiry(session, expirySeconds)
    return { session, isPresent: isKept }
  }

  /** Also counts the lasting sessions of the account. */
  setExpiry(session: Session, expirySeconds: number): void {
    this.#count(session.account, Number(expirySeconds > 0) - Number(session.expirySeconds > 0))
    session.expirySeconds = expirySeconds
  }

  /** The connection has ended. @param publishWill null: there is none, or the client has taken it back */
  leave(session: Session, will: Pick<Will, 'delaySeconds'> | null, publishWill: (() => void) | null): void {
    const { clientId, expirySeconds } = session
    session.disconnect()
    const left: Left = { publishWill, timers: [] }
    this.#left.set(clientId, left)
    if (publishWill !== null) {
      const delayMs = Math.min(will?.delaySeconds ?? 0, expirySeconds) * 1_000
      if (delayMs === 0) this.#will(left)
      else this.#after(left, delayMs, () => this.#will(left))
    }
    if (expirySeconds === 0) this.end(clientId)
    else this.#after(left, expirySeconds * 1_000, () => this.end(clientId))
  }

  /** Ends a session now: its queue, its subscriptions, and a will that waits for its end. */
  end(clientId: string): void {
    const session = this.#sessions.get(clientId)
    if (session === undefined) return
    const left = this.#left.get(clientId)
    if (left !== undefined) this.#will(left)
    this.#back(clientId)
    for (const filter of [...session.subscriptions.keys()]) this.#options.router.unsubscribe(session, filter)
    this.setExpiry(session, 0)
    const undelivered = session.end()
    this.#sessions.delete(clientId)
    for (const message of undelivered) message.shared?.deliver(message)
  }

  /** Ends all timers; delayed wills are not published. */
  stop(): void {
    for (const clientId of this.#left.keys()) this.#back(clientId)
  }

  #back(clientId: string): void {
    for (const callOff of this.#left.get(clientId)?.timers ?? []) callOff()
    this.#left.delete(clientId)
  }

  #will(left: Left): void {
    const publish = left.publishWill
    left.publishWill = null
    publish?.()
  }

  #after(left: Left, ms: number, act: () => void): void {
    if (ms <= MAX_TIMER_MS) left.timers.push(this.#options.clock.after(ms, act))
  }

  #hasRoom(account: string): boolean {
    return (this.#lasting.get(account) ?? 0) < this.#options.maxPerAccount
  }

  #count(account: string, change: number): void {
    const count = (this.#lasting.get(account) ?? 0) + change
    if (count > 0) this.#lasting.set(account, count)
    else this.#lasting.delete(account)
  }
}

/** The will as a message; its lifetime starts now [3.1.3.2.4]. */
export function willMessage(
  { expirySeconds, forwarded, ...will }: Will,
  from: string,
  nowMs: number,
): Message {
  const { topic, payload, qos, retain } = will
  return {
    ...{ topic, payload, qos, retain, from },
    forwarded: forwarded.length === 0 ? NO_FORWARDED : forwarded,
    expiresAtMs: expirySeconds === null ? null : nowMs + expirySeconds * 1_000,
  }
}
