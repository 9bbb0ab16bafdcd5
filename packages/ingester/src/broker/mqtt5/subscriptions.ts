import { generate, type ISubscription, type Packet } from 'mqtt-packet'
import { REASON } from './reason-codes.ts'
import { isSharedSubscription, isTopicFilter } from './topics.ts'

/** A code that is certain, or the topic filter whose code aedes will tell. */
type Answer = number | string

const [SUBACK, UNSUBACK] = ['suback', 'unsuback'] as const

/**
 * SUBSCRIBE and UNSUBSCRIBE under way. MQTT 5 answers each topic filter with a code of its own, in order
 * [MQTT-3.9.3-1], [MQTT-3.11.3-1]. aedes has none for UNSUBSCRIBE, answers a filter that is asked for twice
 * once, and ends the connection for an invalid one: so it gets each valid filter once, and the rest is said here.
 */
export class Subscriptions {
  readonly #subscribes = new Map<number, readonly Answer[]>()
  readonly #unsubscribes = new Map<number, readonly number[]>()

  /** @returns what aedes is asked for; nothing: `suback` has the answer already */
  subscribe(packetId: number, asked: readonly ISubscription[]): readonly ISubscription[] {
    const valid = new Map<string, ISubscription>()
    const answers = asked.map((subscription): Answer => {
      if (!isTopicFilter(subscription.topic)) return REASON.topicFilterInvalid
      valid.set(subscription.topic, subscription)
      return subscription.topic
    })
    this.#subscribes.set(packetId, answers)
    return [...valid.values()]
  }

  /** @param codes of aedes, for what `subscribe` returned */
  suback(packetId: number, codes: Uint8Array): Buffer {
    const answers = this.#subscribes.get(packetId) ?? []
    this.#subscribes.delete(packetId)
    const filters = [...new Set(answers.filter((answer) => typeof answer === 'string'))]
    const granted = answers.map((answer) => {
      if (typeof answer === 'number') return answer
      const code = codes[filters.indexOf(answer)] ?? REASON.unspecified
      return code >= 0x80 && isSharedSubscription(answer) ? REASON.sharedSubscriptions : code
    })
    return encode({ cmd: SUBACK, messageId: packetId, granted })
  }

  /** @returns what aedes is asked for; nothing: `unsuback` has the answer already */
  unsubscribe(
    packetId: number,
    asked: readonly string[],
    isSubscribed: (filter: string) => boolean,
  ): readonly string[] {
    const codes = asked.map((filter) => {
      if (!isTopicFilter(filter)) return REASON.topicFilterInvalid
      return isSubscribed(filter) || this.#isAskedFor(filter) ? REASON.success : REASON.noSubscriptionExisted
    })
    this.#unsubscribes.set(packetId, codes)
    return asked.filter(isTopicFilter)
  }

  unsuback(packetId: number): Buffer {
    const granted = [...(this.#unsubscribes.get(packetId) ?? [REASON.success])]
    this.#unsubscribes.delete(packetId)
    return encode({ cmd: UNSUBACK, messageId: packetId, granted })
  }

  #isAskedFor(filter: string): boolean {
    return [...this.#subscribes.values()].some((answers) => answers.includes(filter))
  }
}

function encode(packet: Packet): Buffer {
  return generate(packet, { protocolVersion: 5 })
}
