import type { Connect } from '../mqtt/connect-packet.ts'
import type { BrokerParts } from './broker-parts.ts'
import { originOf } from './incoming-messages.ts'
import type { Peer } from './rules.ts'
import type { Session } from './session.ts'
import { willMessage } from './sessions.ts'

/** Publishes the will of a client with the rights that it has then. */
export function leaveWill(
  peer: Peer,
  { will, clientId }: Connect,
  parts: BrokerParts & { readonly session: Session },
): void {
  if (will === null) return
  const { rules, publishWill, clock, isEvents, session } = parts
  const { topic, payload } = will
  const isAllowed = rules.mayPublish(peer, topic)
  const bytes = topic.length + payload.length
  rules.published(peer, { topic, isAllowed, isEvents: isEvents(topic), payload, bytes })
  if (isAllowed) publishWill(willMessage(will, clientId, clock.monotonicMs()), originOf(peer, session))
  else rules.refused(peer, 'publish', topic)
}
