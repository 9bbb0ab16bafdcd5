import type { GatheredBytes } from './gathered-bytes.ts'

interface Held {
  readonly packetId: number
  readonly frame: Buffer
}

/**
 * The Receive Maximum of a client [MQTT-3.3.4-9], which 3.1.1 and therefore aedes do not have: QoS 1 and 2 messages
 * beyond it are held until one in flight is acknowledged. So is one whose packet identifier is in use, since aedes
 * restarts with 1 after 65,535 [MQTT-2.2.1-3]. Everything else passes: a waiting PUBREL would keep the window closed
 * forever.
 */
export class SendWindow {
  readonly #receiveMaximum: number
  readonly #underWay = new Set<number>()
  /** In order; entries before `#firstHeld` are sent. */
  #held: (Held | undefined)[] = []
  #firstHeld = 0
  #heldBytes = 0

  constructor(receiveMaximum: number) {
    this.#receiveMaximum = receiveMaximum
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Counts the message and returns true if it may be sent now; otherwise it must go to `hold`. */
  admit(packetId: number): boolean {
    if (this.#firstHeld < this.#held.length || !this.#isOpenFor(packetId)) return false
    this.#underWay.add(packetId)
    return true
  }

  hold(packetId: number, frame: Buffer): void {
    this.#held.push({ packetId, frame })
    this.#heldBytes += frame.length
  }

  /** Acknowledged by PUBACK, PUBCOMP, or a PUBREC with an error. */
  answered(packetId: number, out: GatheredBytes): void {
    this.#underWay.delete(packetId)
    for (let next = this.#held[this.#firstHeld]; next !== undefined; next = this.#held[this.#firstHeld]) {
      if (!this.#isOpenFor(next.packetId)) break
      this.#underWay.add(next.packetId)
      this.#heldBytes -= next.frame.length
      this.#held[this.#firstHeld++] = undefined
      out.append(next.frame)
    }
    if (this.#firstHeld < 1_000 || this.#firstHeld * 2 < this.#held.length) return
    this.#held = this.#held.slice(this.#firstHeld)
    this.#firstHeld = 0
  }

  #isOpenFor(packetId: number): boolean {
    return this.#underWay.size < this.#receiveMaximum && !this.#underWay.has(packetId)
  }
}
