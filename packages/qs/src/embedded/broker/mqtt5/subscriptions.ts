import { generate, type ISubscription, type Packet } from 'mqtt-packet'
import { Mqtt5Fault, REASON } from './reason-codes.ts'
import { isSharedSubscription, isTopicFilter } from './topics.ts'

/** A known code, or a topic filter whose code comes from aedes. */
type Answer = number | string

const [SUBACK, UNSUBACK] = ['suback', 'unsuback'] as const

/**
 * SUBSCRIBE and UNSUBSCRIBE in progress. MQTT 5 answers each topic filter with its own code, in order [MQTT-3.9.3-1],
 * [MQTT-3.11.3-1]. aedes has no codes for UNSUBSCRIBE, answers a repeated filter once, and closes the connection for an
 * invalid one: so it gets each valid filter once, and the other codes are added here.
 */
export class Subscriptions {
  readonly #subscribes = new Map<number, readonly Answer[]>()
  readonly #unsubscribes = new Map<number, readonly number[]>()

  /**
   * @returns the filters for aedes; if empty, `suback` already has the answer
   * @throws Mqtt5Fault if the packet identifier is in use [MQTT-2.2.1-3]
   */
  subscribe(packetId: number, asked: readonly ISubscription[]): readonly ISubscription[] {
    checkUnused(packetId, this.#subscribes)
    const valid = new Map<string, ISubscription>()
    const answers = asked.map((subscription): Answer => {
      if (!isTopicFilter(subscription.topic)) return REASON.topicFilterInvalid
      valid.set(subscription.topic, subscription)
      return subscription.topic
    })
    this.#subscribes.set(packetId, answers)
    return [...valid.values()]
  }

  /** @param codes from aedes for the filters that `subscribe` returned */
  suback(packetId: number, codes: Uint8Array): Buffer {
    const answers = this.#subscribes.get(packetId) ?? []
    this.#subscribes.delete(packetId)
    const filters = [...new Set(answers.filter((answer) => typeof answer === 'string'))]
    const indexes = new Map(filters.map((filter, index) => [filter, index]))
    const granted = answers.map((answer) => {
      if (typeof answer === 'number') return answer
      const code = codes[indexes.get(answer) ?? -1] ?? REASON.unspecified
      // aedes refuses a filter only because of `authorizeSubscribe`.
      if (code < 0x80) return code
      return isSharedSubscription(answer) ? REASON.sharedSubscriptions : REASON.notAuthorized
    })
    return encode({ cmd: SUBACK, messageId: packetId, granted })
  }

  /** Like `subscribe`, for `unsuback`. */
  unsubscribe(
    packetId: number,
    asked: readonly string[],
    isSubscribed: (filter: string) => boolean,
  ): readonly string[] {
    checkUnused(packetId, this.#unsubscribes)
    const underWay = new Set([...this.#subscribes.values()].flat())
    const codes = asked.map((filter) => {
      if (!isTopicFilter(filter)) return REASON.topicFilterInvalid
      return isSubscribed(filter) || underWay.has(filter) ? REASON.success : REASON.noSubscriptionExisted
    })
    this.#unsubscribes.set(packetId, codes)
    return asked.filter(isTopicFilter)
  }

  unsuback(packetId: number): Buffer {
    const granted = [...(this.#unsubscribes.get(packetId) ?? [REASON.success])]
    this.#unsubscribes.delete(packetId)
    return encode({ cmd: UNSUBACK, messageId: packetId, granted })
  }
}

function checkUnused(packetId: number, underWay: ReadonlyMap<number, unknown>): void {
  if (!underWay.has(packetId)) return
  throw new Mqtt5Fault(REASON.protocolError, 'a packet identifier that is in use')
}

function encode(packet: Packet): Buffer {
  return generate(packet, { protocolVersion: 5 })
}
