import { deliver } from './deliver.ts'
import type { Message, Sharing } from './message.ts'
import type { Subscription } from './session.ts'

/** The members of a shared subscription with the same filter, in turn [4.8.2]. */
export class SharedGroup implements Sharing {
  readonly members = new Map<string, Subscription>()
  #turn = 0

  deliver(message: Message): void {
    const member = this.#next()
    if (member !== undefined) deliver(message, member)
  }

  /** The next connected member; without one, the next member, whose session keeps the message. */
  #next(): Subscription | undefined {
    const all = [...this.members.values()]
    for (let tries = 0; tries < all.length; tries++) {
      const member = all[(this.#turn + tries) % all.length]
      if (!member?.session.isConnected) continue
      this.#turn += tries + 1
      return member
    }
    return all[this.#turn++ % Math.max(1, all.length)]
  }
}
