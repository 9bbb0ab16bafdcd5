import { AccountChanged } from '../access.ts'
import { PacketTooLarge } from '../packet-size-guard.ts'
import { Mqtt5Fault, REASON, type Reason } from './reason-codes.ts'

/**
 * Why aedes or the translation closes a connection. aedes gives no error in two cases: it is stopping, or another
 * client has taken over the session [MQTT-3.1.4-3].
 */
export function endReason(error: Error | null, isStopping: boolean): Reason {
  if (error instanceof Mqtt5Fault) return error.reason
  if (error instanceof PacketTooLarge) return REASON.packetTooLarge
  if (error instanceof AccountChanged) return REASON.administrativeAction
  if (error === null) return isStopping ? REASON.shuttingDown : REASON.sessionTakenOver
  if (error.message === 'keep alive timeout') return REASON.keepAliveTimeout
  if (error.message.startsWith('maxInflightInbound')) return REASON.receiveMaximumExceeded
  return REASON.unspecified
}
