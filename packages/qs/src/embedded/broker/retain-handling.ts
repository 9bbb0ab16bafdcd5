import type { Readable } from 'node:stream'
import type { Aedes, Client, Subscription } from 'aedes'

interface RetainedMessages {
  createRetainedStreamCombi(filters: readonly string[]): Readable
}

/**
 * Retain handling of MQTT 5 [MQTT-3.3.1-9 to 11]: whether a new subscription gets the retained messages.
 * aedes stores the option with the subscription but ignores it. Right after the event 'subscribe' it reads the retained
 * messages of the filters from the store, so filters without retained messages are removed there.
 */
export class RetainHandling {
  readonly #decided = new WeakSet<Subscription>()
  #withoutRetained = new Set<string>()

  attach(broker: Aedes): void {
    const { persistence } = broker as unknown as { readonly persistence: RetainedMessages }
    const stream = persistence.createRetainedStreamCombi.bind(persistence)
    persistence.createRetainedStreamCombi = (filters) =>
      stream(filters.filter((filter) => !this.#withoutRetained.has(filter)))
    broker.on('subscribe', (subscriptions) => {
      this.#withoutRetained = new Set(
        subscriptions.filter((each) => this.#decided.has(each)).map(({ topic }) => topic),
      )
    })
  }

  /** Call it before the subscription is added, while a new one can still be recognised. */
  decide(client: Client, subscription: Subscription & { readonly rh?: number }): void {
    const { subscriptions } = client as unknown as { readonly subscriptions: Record<string, unknown> }
    const isNew = subscriptions[subscription.topic] === undefined
    if (subscription.rh === 2 || (subscription.rh === 1 && !isNew)) this.#decided.add(subscription)
  }
}
