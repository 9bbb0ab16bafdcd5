import { ProtocolFault, REASON } from '../mqtt/reasons.ts'
import type { Link } from './link.ts'

/** What is known about the client at a look. */
export interface Look {
  readonly nowMs: number
  /** 0: none. */
  readonly keepAliveSeconds: number
  /** Nobody hears what it sends while it is not read. */
  readonly isRead: boolean
  /** QoS 0 messages that it missed. */
  readonly missed: number
}

const DEAF_MS = 5_000

/** The client has not read its messages. */
export class DeafClient extends ProtocolFault {
  /** QoS 0 messages that it missed. */
  readonly missed: number

  constructor(missed: number) {
    super(REASON.unspecified, 'it did not read its messages')
    this.name = 'DeafClient'
    this.missed = missed
  }
}

/** Whether a client still speaks and still listens. */
export class Liveness {
  readonly #link: Pick<Link, 'taken' | 'waitingBytes'>
  #heardMs: number
  #takenBefore = -1
  #takenAtMs = 0

  constructor(link: Pick<Link, 'taken' | 'waitingBytes'>, nowMs: number) {
    this.#link = link
    this.#heardMs = nowMs
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs
  }

  /** Call it about once a second. @returns why its connection has to end; null: it may stay */
  look({ nowMs, keepAliveSeconds, isRead, missed }: Look): ProtocolFault | null {
    // [MQTT-3.1.2-22]
    if (keepAliveSeconds > 0 && isRead && nowMs - this.#heardMs > keepAliveSeconds * 1_500)
      return new ProtocolFault(REASON.keepAliveTimeout, 'keep alive timeout')
    const { taken, waitingBytes } = this.#link
    if (waitingBytes === 0 || taken !== this.#takenBefore) {
      this.#takenBefore = taken
      this.#takenAtMs = nowMs
      return null
    }
    return nowMs - this.#takenAtMs > DEAF_MS ? new DeafClient(missed) : null
  }
}
