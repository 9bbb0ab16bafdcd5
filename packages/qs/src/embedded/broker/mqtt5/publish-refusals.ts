import { REASON } from './reason-codes.ts'

const [PUBACK, PUBREC, PUBREL, PUBCOMP] = [0x40, 0x50, 0x62, 0x70] as const

interface Answer {
  readonly toClient: Uint8Array | null
  readonly toBroker: Uint8Array | null
}

/**
 * Messages that their client may not publish. aedes acknowledges them like others, since 3.1.1 has no reason code; MQTT
 * 5 has one [3.4.2.1]. A PUBREC with it ends a QoS 2 message for the client [MQTT-4.3.3-4], so this class completes the
 * exchange with aedes.
 */
export class PublishRefusals {
  readonly #refused = new Set<number>()
  readonly #ending = new Set<number>()

  add(packetId: number): void {
    this.#refused.add(packetId)
  }

  /** Translates an acknowledgement of aedes. */
  answer(frame: Buffer): Answer {
    const [type] = frame
    const isNone = this.#refused.size + this.#ending.size === 0
    if (isNone || (type !== PUBACK && type !== PUBREC && type !== PUBCOMP))
      return { toClient: frame, toBroker: null }
    const packetId = frame.readUInt16BE(2)
    if (type === PUBCOMP) return { toClient: this.#ending.delete(packetId) ? null : frame, toBroker: null }
    if (!this.#refused.delete(packetId)) return { toClient: frame, toBroker: null }
    const [high, low] = [packetId >> 8, packetId & 0xff] as const
    const toClient = Uint8Array.of(type, 3, high, low, REASON.notAuthorized)
    if (type === PUBACK) return { toClient, toBroker: null }
    this.#ending.add(packetId)
    return { toClient, toBroker: Uint8Array.of(PUBREL, 2, high, low) }
  }
}
