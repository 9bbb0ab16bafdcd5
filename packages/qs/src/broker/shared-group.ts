import type { Qos } from '../mqtt/packet-types.ts'
import { deliver } from './deliver.ts'
import type { Message, Sharing } from './message.ts'
import type { Subscription } from './session.ts'

/** The members of a shared subscription with the same filter, in turn [4.8.2]. */
export class SharedGroup implements Sharing {
  readonly members = new Map<string, Subscription>()
  #turn = 0

  deliver(message: Message): void {
    const member = this.#next(message)
    if (member !== undefined) deliver(message, member)
  }

  /**
   * The next connected member that takes the message; without one, the next whose session keeps it. One that may not
   * receive it, that does not read or whose queue is full costs the others nothing.
   */
  #next(message: Message): Subscription | undefined {
    const all = [...this.members.values()]
    const inTurn = all.map((_, n) => all[(this.#turn + n) % all.length] as Subscription)
    const takes = ({ session, qos }: Subscription) =>
      session.takes(message, Math.min(qos, message.qos) as Qos)
    const member =
      inTurn.find((each) => each.session.isConnected && takes(each)) ?? inTurn.find(takes) ?? inTurn[0]
    if (member !== undefined) this.#turn = all.indexOf(member) + 1
    return member
  }
}
