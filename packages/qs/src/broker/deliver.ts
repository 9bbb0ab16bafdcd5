import type { Qos } from '../mqtt/packet-types.ts'
import type { Message } from './message.ts'
import type { Session, Subscription } from './session.ts'

/** To the session of one subscription. */
export function deliver(message: Message, subscription: Subscription): void {
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
export function deliverOnce(message: Message, subscriptions: readonly Subscription[]): void {
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
