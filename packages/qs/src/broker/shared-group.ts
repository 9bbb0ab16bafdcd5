import type { Qos } from '../mqtt/packet-types.ts'
import { deliver } from './deliver.ts'
import type { Message, Sharing } from './message.ts'
import type { Subscription } from './session.ts'

/** The members of a shared subscription with the same filter, in turn [4.8.2]. */
export class SharedGroup implements Sharing {
  readonly members = new Map<string, Subscription>()
  #turn = 0

  deliver(message: Message): void {
    const members = this.#inTurn()
    this.#give(message, this.#taker(message, members) ?? members[0])
  }

  passOn(message: Message, clientId: string): void {
    const others = this.#inTurn().filter(({ session }) => session.clientId !== clientId)
    this.#give(message, this.#taker(message, others))
  }

  #give(message: Message, member: Subscription | undefined): void {
    if (member === undefined) return
    this.#turn = [...this.members.values()].indexOf(member) + 1
    deliver(message, member)
  }

  #inTurn(): readonly Subscription[] {
    const all = [...this.members.values()]
    return all.map((_, n) => all[(this.#turn + n) % all.length] as Subscription)
  }

  /**
   * The next connected member that takes the message; without one, the next whose session keeps it. One that may not
   * receive it, that does not read, whose queue is full or whose packets may not be that large costs the others nothing.
   */
  #taker(message: Message, members: readonly Subscription[]): Subscription | undefined {
    const takes = ({ session, qos, identifier }: Subscription) =>
      session.takes(message, Math.min(qos, message.qos) as Qos, identifier === null ? [] : [identifier])
    return members.find((each) => each.session.isConnected && takes(each)) ?? members.find(takes)
  }
}
