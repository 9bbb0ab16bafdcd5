import type { Aedes, Subscription } from 'aedes'

interface Subscriptions {
  subscriptionsByClient(client: { readonly id: string }): Promise<readonly object[]>
}

/** `authorizeSubscribe` removes it again, so that no client is ever subscribed to it. */
const STAND_IN = { topic: '$session', qos: 0 } as const

/**
 * Session present in CONNACK [MQTT-3.2.2-2]: aedes sets it only if the session has subscriptions. A known session
 * without any therefore gets a stand-in subscription.
 */
export class KnownSessions {
  readonly #clientIds = new Set<string>()

  attach(broker: Aedes): void {
    const { persistence } = broker as unknown as { readonly persistence: Subscriptions }
    const stored = persistence.subscriptionsByClient.bind(persistence)
    persistence.subscriptionsByClient = async (client) => {
      const subscriptions = await stored(client)
      return subscriptions.length === 0 && this.#clientIds.has(client.id) ? [STAND_IN] : subscriptions
    }
    broker.on('client', ({ id, clean }) => {
      if (!clean) this.#clientIds.add(id)
    })
  }

  has(clientId: string): boolean {
    return this.#clientIds.has(clientId)
  }

  isStandIn(subscription: Subscription): boolean {
    return subscription === STAND_IN
  }

  /** The session has ended. */
  forget(clientId: string): void {
    this.#clientIds.delete(clientId)
  }
}
