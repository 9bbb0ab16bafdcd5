import type { Connect } from '../mqtt/connect-packet.ts'
import type { Capabilities } from '../mqtt/output.ts'
import { ProtocolFault, REASON, type Reason } from '../mqtt/reasons.ts'
import { type BrokerParts, type Client, RECEIVE_MAXIMUM, TOPIC_ALIAS_MAXIMUM } from './broker-parts.ts'
import { keepAliveOf } from './keep-alive.ts'
import type { LoggedIn } from './rules.ts'
import type { Session } from './session.ts'

/** A client that the rules have accepted. */
interface Accepted {
  readonly connect: Connect
  readonly login: LoggedIn
  readonly isIdAssigned: boolean
}

type Begun =
  | { readonly kind: 'refused'; readonly reason: Reason }
  | {
      readonly kind: 'begun'
      readonly session: Session
      readonly isPresent: boolean
      /** For CONNACK. */
      readonly capabilities: Capabilities
    }

/** Ends an earlier connection of the same client, and gives it its session. */
export function beginSession(
  client: Client,
  { connect, login, isIdAssigned }: Accepted,
  { sessions, connections, maxPacketBytes, intake, rules }: BrokerParts,
): Begun {
  const refusal = sessions.refusal(connect, login)
  if (refusal !== null) {
    rules.refused(client, refusal === REASON.quotaExceeded ? 'sessions' : 'client id', '')
    return { kind: 'refused', reason: refusal }
  }
  // [MQTT-3.1.4-3]
  connections
    .get(connect.clientId)
    ?.close(new ProtocolFault(REASON.sessionTakenOver, 'another connection has taken over the session'))
  const keepAliveSeconds = keepAliveOf(connect)
  const capabilities: Capabilities = {
    receiveMaximum: RECEIVE_MAXIMUM,
    maxPacketBytes,
    topicAliasMaximum: TOPIC_ALIAS_MAXIMUM,
    assignedClientId: isIdAssigned ? connect.clientId : null,
    // [MQTT-3.2.2-21]
    serverKeepAliveSeconds: keepAliveSeconds === connect.keepAliveSeconds ? null : keepAliveSeconds,
    isPubackCommit: intake !== null,
  }
  return { kind: 'begun', ...sessions.begin(connect, login.account), capabilities }
}
