import type { Connect, Will } from '../mqtt/connect-packet.ts'
import { REASON, type Reason } from '../mqtt/reasons.ts'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import { type Message, NO_FORWARDED } from './message.ts'
import type { Router } from './router.ts'
import type { LoggedIn } from './rules.ts'
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

/** The maximum of a timer, 24.8 days. */
const MAX_TIMER_MS = 2 ** 31 - 1
/** A session that does not expire [3.1.2.11.2]. */
const NEVER_SECONDS = 0xffff_ffff

/**
 * All sessions by client id: their beginning, their expiry [3.1.2.11.2] and their wills.
 *
 * A session belongs to the account that made it. Another account can neither take it over nor end it, unless the client
 * id is its own; it then gets a new session and nothing of the older one.
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
   * Why a client that has logged in gets no session; null: it gets one. Ask it before its earlier connection is closed:
   * a refused client must not cost the connected one its connection.
   */
  refusal({ clientId, expirySeconds }: Connect, { account, ownsId }: LoggedIn): Reason | null {
    const older = this.#sessions.get(clientId)
    const isOwn = older?.account === account
    if (older !== undefined && !isOwn && !ownsId) return REASON.clientIdInvalid
    const isCounted = isOwn && older !== undefined && older.expirySeconds > 0
    return expirySeconds > 0 && !isCounted && !this.#hasRoom(account) ? REASON.quotaExceeded : null
  }

  /** The session of a client without a refusal, whose earlier connection has ended. */
  begin(
    { clientId, cleanStart, expirySeconds }: Connect,
    account: string,
  ): { readonly session: Session; readonly isPresent: boolean } {
    const older = this.#sessions.get(clientId)
    const isKept = older !== undefined && !cleanStart && older.account === account
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
    // It was ended under its connection; a newer one with its id has nothing to do with it.
    if (this.#sessions.get(clientId) !== session) return
    const left: Left = { publishWill, timers: [] }
    this.#left.set(clientId, left)
    if (publishWill !== null) {
      const delayMs = Math.min(will?.delaySeconds ?? 0, expirySeconds) * 1_000
      if (delayMs === 0) this.#will(left)
      else this.#after(left, delayMs, () => this.#will(left))
    }
    if (expirySeconds === 0) this.end(clientId)
    else if (expirySeconds < NEVER_SECONDS) this.#after(left, expirySeconds * 1_000, () => this.end(clientId))
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

  /** Client ids of the sessions of an account. */
  idsOf(account: string): readonly string[] {
    return [...this.#sessions.values()]
      .filter((each) => each.account === account)
      .map((each) => each.clientId)
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
    const at = left.timers.length
    const arm = (restMs: number) => {
      const stepMs = Math.min(restMs, MAX_TIMER_MS)
      const next = () => (restMs > stepMs ? arm(restMs - stepMs) : act())
      left.timers[at] = this.#options.clock.after(stepMs, next)
    }
    arm(ms)
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
