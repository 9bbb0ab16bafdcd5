import { digestOf, type Publish } from './packets.ts'

interface Received {
  readonly digest: string
  /** PUBREC was sent: the message is committed. */
  isAnswered: boolean
}

/**
 * QoS 2 messages between their PUBLISH and their PUBREL [MQTT 5, 4.3.3]. A message answered with PUBREC belongs to the
 * session, not to a connection: a broker that missed the PUBREC sends it again, and it must not count twice.
 *
 * The packet identifier alone does not identify a message. A broker that restored an older store after a crash may have
 * reused it for another message, which would be lost; so the content must be equal too.
 */
export class Unreleased {
  readonly #received = new Map<number, Received>()

  /** A connection begins. Messages that the previous one did not answer are redelivered and handed on again. */
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
