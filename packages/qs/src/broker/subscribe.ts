import type { Frames } from '../mqtt/frames.ts'
import type { Output } from '../mqtt/output.ts'
import type { Level } from '../mqtt/packet-types.ts'
import { ProtocolFault, REASON } from '../mqtt/reasons.ts'
import { type Asked, readSubscribe, readUnsubscribe } from '../mqtt/subscribe-packet.ts'
import { isTopicFilter, sharedFilter } from '../mqtt/topics.ts'
import type { Router } from './router.ts'
import type { Peer, Rules } from './rules.ts'
import type { Outlet, Session, Subscription } from './session.ts'

export interface Conversation {
  readonly peer: Peer & Pick<Outlet, 'monotonicMs'>
  readonly session: Session
  readonly output: Output
  readonly router: Router
  readonly rules: Rules
  readonly level: Level
}

/** Of a session: one takes about 1 KB. */
const MAX_SUBSCRIPTIONS = 10_000
/** The only error code of a 3.1.1 SUBACK. */
const FAILURE = 0x80

/**
 * SUBSCRIBE: one code for each filter, in order [MQTT-3.9.3-1]; then the retained messages.
 *
 * @returns the number of filters
 * @throws ProtocolFault
 */
export function subscribe(
  frame: Frames,
  { peer, session, output, router, rules, level }: Conversation,
): number {
  const { packetId, identifier, asked } = readSubscribe(frame, level === 5)
  const due: Subscription[] = []
  const codes = asked.map((each) => {
    const target = targetOf(each)
    if (target === null) return REASON.topicFilterInvalid
    if (!rules.maySubscribe(peer, each.filter)) {
      rules.refused(peer, 'subscribe', each.filter)
      return REASON.notAuthorized
    }
    if (session.subscriptions.size >= MAX_SUBSCRIPTIONS && !session.subscriptions.has(each.filter))
      return REASON.quotaExceeded
    const { qos, noLocal, retainAsPublished, retainHandling } = each
    const subscription = { session, ...target, qos, noLocal, retainAsPublished, identifier }
    const isKnown = router.subscribe(each.filter, subscription)
    const wantsRetained = retainHandling === 0 || (retainHandling === 1 && !isKnown)
    // A shared subscription gets no retained messages [4.8.2].
    if (wantsRetained && target.group === null) due.push(subscription)
    return qos
  })
  const told = level === 5 ? codes : codes.map((code) => (code < 0x80 ? code : FAILURE))
  if (!output.suback(packetId, told)) throw unanswerable('SUBACK')
  const nowMs = () => peer.monotonicMs()
  for (const subscription of due) {
    const found = router.retained.matching(subscription.filter, nowMs)
    session.deliverRetained({ found, turn: router.retained.turn, subscription })
  }
  return asked.length
}

/** UNSUBSCRIBE: one code for each filter, in order [MQTT-3.11.3-1]. @returns their number @throws ProtocolFault */
export function unsubscribe(frame: Frames, { session, output, router, level }: Conversation): number {
  const { packetId, filters } = readUnsubscribe(frame, level === 5)
  const codes = filters.map((filter) => {
    if (router.unsubscribe(session, filter)) return REASON.success
    const isValid = filter.startsWith('$share/') ? sharedFilter(filter) !== 'invalid' : isTopicFilter(filter)
    return isValid ? REASON.noSubscriptionExisted : REASON.topicFilterInvalid
  })
  if (!output.unsuback(packetId, codes)) throw unanswerable('UNSUBACK')
  return filters.length
}

/** The client would wait for an answer that may not be sent [MQTT-3.1.2-24]. */
function unanswerable(answer: string): ProtocolFault {
  return new ProtocolFault(REASON.packetTooLarge, `its ${answer} exceeds its maximum packet size`)
}

/** @returns null: no valid filter */
function targetOf({
  filter,
  noLocal,
}: Asked): { readonly filter: string; readonly group: string | null } | null {
  const shared = sharedFilter(filter)
  if (shared === 'invalid') return null
  if (shared === null) return isTopicFilter(filter) ? { filter, group: null } : null
  // [MQTT-3.8.3-4]
  if (noLocal) throw new ProtocolFault(REASON.protocolError, 'no local in a shared subscription')
  return shared
}
