import type { Qos } from '../mqtt/packet-types.ts'
import type { Message } from './message.ts'
import { RetainedStore } from './retained-store.ts'
import type { Session, Subscription } from './session.ts'
import { TopicTree } from './topic-tree.ts'

/** The members of a shared subscription with the same filter, in turn [4.8.2]. */
class SharedGroup {
  readonly members = new Map<string, Subscription>()
  #turn = 0

  /** The next connected member; without one, the next member, whose session keeps the message. */
  next(): Subscription | undefined {
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

/** Messages to sessions, by their subscriptions; and retained messages. */
export class Router {
  readonly retained = new RetainedStore()
  readonly #subscriptions = new TopicTree<Subscription>()
  readonly #groups = new TopicTree<SharedGroup>()
  /** Reused for each message. */
  readonly #found: Subscription[] = []
  readonly #foundGroups: SharedGroup[] = []
  #revision = 0

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
    if (message.retain) this.retained.put(message)
    this.#find(message.topic)
    const found = this.#found
    const { length } = found
    for (const group of this.#foundGroups) {
      const member = group.next()
      if (member !== undefined) deliver(message, member)
    }
    const [only] = found
    if (length === 1 && only !== undefined) deliver(message, only)
    else if (length > 1) deliverOnce(message, [...found])
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

function deliver(message: Message, subscription: Subscription): void {
  const { session, qos, noLocal, retainAsPublished, identifier } = subscription
  // [MQTT-3.8.3-3]
  if (noLocal && message.from === session.clientId) return
  const retain = retainAsPublished && message.retain
  const lower = Math.min(qos, message.qos) as Qos
  if (identifier === null) session.deliver(message, lower, retain)
  else session.deliver(message, lower, retain, [identifier])
}

interface Grant {
  qos: number
  retain: boolean
  readonly ids: number[]
}

/**
 * A session with overlapping subscriptions gets a message once, with the highest QoS among them [MQTT-3.3.4-2] and all
 * their identifiers [MQTT-3.3.4-4], but never above the QoS of the publisher [MQTT-3.8.4-8].
 */
function deliverOnce(message: Message, subscriptions: readonly Subscription[]): void {
  const grants = new Map<Session, Grant>()
  for (const { session, qos, noLocal, retainAsPublished, identifier } of subscriptions) {
    if (noLocal && message.from === session.clientId) continue
    const grant = grants.get(session) ?? { qos: 0, retain: false, ids: [] }
    grant.qos = Math.max(grant.qos, qos)
    grant.retain ||= retainAsPublished && message.retain
    if (identifier !== null) grant.ids.push(identifier)
    grants.set(session, grant)
  }
  for (const [session, { qos, retain, ids }] of grants) {
    session.deliver(message, Math.min(qos, message.qos) as Qos, retain, ids)
  }
}
