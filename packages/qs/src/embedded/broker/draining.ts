import { setTimeout as delay } from 'node:timers/promises'
import type { Aedes } from 'aedes'

type AuthorizePublish = Aedes['authorizePublish']
type Publisher = Parameters<AuthorizePublish>[0]

export interface DrainOptions {
  /** Messages that the ingester has not acknowledged. */
  readonly left: () => number
  /** How long nothing may be acknowledged before draining ends. */
  readonly stallMs: number
}

const LOOK_MS = 50

/**
 * An orderly stop of the broker: it accepts nothing new, and the ingester gets the time it needs for accepted messages,
 * as long as it makes progress.
 *
 * aedes sends the PUBACK only after `authorizePublish`. A hook that does not answer therefore leaves the message
 * unacknowledged with its sender, and aedes reads nothing more from that client. This also applies to clients that are
 * just logging in.
 */
export class Draining {
  #isDraining = false

  /** Puts this hook before another one. */
  before(
    authorize: AuthorizePublish,
    isOutside: (client: NonNullable<Publisher>) => boolean,
  ): AuthorizePublish {
    return (client, packet, done) => {
      if (this.#isDraining && client !== null && isOutside(client)) return
      authorize(client, packet, done)
    }
  }

  async drain({ left, stallMs }: DrainOptions): Promise<void> {
    this.#isDraining = true
    let fewest = Number.POSITIVE_INFINITY
    let untilMs = performance.now() + stallMs
    // Twice, since a message just acknowledged to its sender may not be in the queue yet.
    for (let empty = 0; empty < 2 && performance.now() < untilMs; ) {
      await delay(LOOK_MS)
      const now = left()
      empty = now === 0 ? empty + 1 : 0
      if (now >= fewest) continue
      fewest = now
      untilMs = performance.now() + stallMs
    }
  }
}
