import type { Readable } from 'node:stream'
import type { Aedes, Client, Subscription } from 'aedes'

interface RetainedMessages {
  createRetainedStreamCombi(filters: readonly string[]): Readable
}

/**
 * Retain handling of MQTT 5 [MQTT-3.3.1-9 to 11]: whether a new subscription gets the retained messages.
 * aedes keeps the option with the subscription and does not look at it. Right after the event 'subscribe' it
 * asks the store for the retained messages of the filters in it, so that is where those of some filters are
 * left out.
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

  /** Before the subscription is made: afterwards nobody could tell whether it is a new one. */
  decide(client: Client, subscription: Subscription & { readonly rh?: number }): void {
    const { subscriptions } = client as unknown as { readonly subscriptions: Record<string, unknown> }
    const isNew = subscriptions[subscription.topic] === undefined
    if (subscription.rh === 2 || (subscription.rh === 1 && !isNew)) this.#decided.add(subscription)
  }
}
