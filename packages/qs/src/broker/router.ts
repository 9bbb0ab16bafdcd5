import { deliver, deliverOnce } from './deliver.ts'
import { detached, type Message } from './message.ts'
import { RetainedStore } from './retained-store.ts'
import type { Session, Subscription } from './session.ts'
import { SharedGroup } from './shared-group.ts'
import { TopicTree } from './topic-tree.ts'

/** Messages to sessions, by their subscriptions; and retained messages. */
export class Router {
  readonly retained = new RetainedStore()
  readonly #subscriptions = new TopicTree<Subscription>()
  readonly #groups = new TopicTree<SharedGroup>()
  /** Reused for each message. */
  readonly #found: Subscription[] = []
  readonly #foundGroups: SharedGroup[] = []
  readonly #onUnretained: (message: Message) => void
  #revision = 0

  /** @param onUnretained called for a message with the retain flag that is delivered and, without room, not retained */
  constructor(onUnretained: (message: Message) => void) {
    this.#onUnretained = onUnretained
  }

  /** Changes with the subscriptions, so with what `isHeard` returns. */
  get revision(): number {
    return this.#revision
  }

  /** @returns whether the session had a subscription with this filter */
  subscribe(asked: string, subscription: Subscription): boolean {
    const { session, filter, group } = subscription
    const isKnown = session.subscriptions.has(asked)
    this.#revision++
    session.subscriptions.set(asked, subscription)
    if (group === null) this.#subscriptions.set(filter, session.clientId, subscription)
    else {
      const key = `${group}/${filter}`
      const shared = this.#groupOf(filter, key) ?? new SharedGroup()
      shared.members.set(session.clientId, subscription)
      this.#groups.set(filter, key, shared)
    }
    return isKnown
  }

  /** @returns whether there was such a subscription */
  unsubscribe(session: Session, asked: string): boolean {
    const subscription = session.subscriptions.get(asked)
    if (subscription === undefined) return false
    this.#revision++
    session.subscriptions.delete(asked)
    const { filter, group } = subscription
    if (group === null) this.#subscriptions.delete(filter, session.clientId)
    else {
      const key = `${group}/${filter}`
      const shared = this.#groupOf(filter, key)
      shared?.members.delete(session.clientId)
      if (shared?.members.size === 0) this.#groups.delete(filter, key)
    }
    return true
  }

  /** Whether a message on this topic has to be made at all; nobody listens to most events. */
  isHeard(topic: string): boolean {
    this.#find(topic)
    return this.#found.length > 0 || this.#foundGroups.length > 0
  }

  /** @returns whether any subscription matched */
  publish(message: Message): boolean {
    if (message.retain && !this.retained.put(message)) this.#onUnretained(message)
    this.#find(message.topic)
    const found = this.#found
    const { length } = found
    // A queue keeps a message until its client has answered; one copy serves all queues.
    const isQueued = message.qos > 0 && (this.#foundGroups.length > 0 || found.some(({ qos }) => qos > 0))
    const kept = isQueued ? detached(message) : message
    for (const group of this.#foundGroups) group.deliver({ ...kept, shared: group })
    const [only] = found
    if (length === 1 && only !== undefined) deliver(kept, only)
    else if (length > 1) deliverOnce(kept, [...found])
    return length > 0 || this.#foundGroups.length > 0
  }

  #find(topic: string): void {
    this.#found.length = 0
    this.#foundGroups.length = 0
    this.#subscriptions.match(topic, this.#found)
    this.#groups.match(topic, this.#foundGroups)
  }

  #groupOf(filter: string, key: string): SharedGroup | undefined {
    return this.#groups.get(filter, key)
  }
}
