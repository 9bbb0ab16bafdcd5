import { digestOf } from './digest.ts'
import type { Publish } from './packets.ts'

interface Received {
  readonly digest: string
  /** PUBREC has left: the message is committed. */
  isAnswered: boolean
}

/**
 * Messages of QoS 2 between their PUBLISH and their PUBREL [MQTT 5, 4.3.3]. What PUBREC answered belongs to the session and
 * not to a connection: the broker that missed the PUBREC sends the message again, and it must not count twice.
 *
 * The packet identifier alone does not prove that two messages are the same. A broker that restored an older store after
 * a crash may have given it to another message, which would be lost; so the content has to be equal too.
 */
export class Unreleased {
  readonly #received = new Map<number, Received>()

  /** A connection begins. What its predecessor did not answer arrives again, to be handed on again. */
  begin(sessionPresent: boolean): void {
    if (!sessionPresent) this.#received.clear()
    for (const [packetId, { isAnswered }] of this.#received) if (!isAnswered) this.#received.delete(packetId)
  }

  receive(publish: Publish): 'new' | 'waiting' | 'answered' {
    const digest = digestOf(publish)
    const known = this.#received.get(publish.packetId)
    if (publish.dup && known?.digest === digest) return known.isAnswered ? 'answered' : 'waiting'
    this.#received.set(publish.packetId, { digest, isAnswered: false })
    return 'new'
  }

  answered(packetId: number): void {
    const received = this.#received.get(packetId)
    if (received !== undefined) received.isAnswered = true
  }

  /** PUBREL: the packet identifier is free for another message. */
  release(packetId: number): void {
    this.#received.delete(packetId)
  }
}
