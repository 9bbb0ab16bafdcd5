import { generate } from 'mqtt-packet'
import type { Mqtt5Session } from './connect.ts'
import { REASON, type Reason, reasonForConnack, reasonOfReturnCode } from './reason-codes.ts'

/**
 * Maximum QoS 2 messages in flight from a client. aedes disconnects a client that exceeds its `maxInflightInbound`, so
 * both have the same value.
 */
export const RECEIVE_MAXIMUM = 1_000

/** Translates the CONNACK of aedes and adds the capabilities of this broker [MQTT 5, 3.2.2.3]. */
export function connack4To5(
  frame: Buffer,
  {
    session,
    maxPacketBytes,
    isOverQuota,
  }: {
    readonly session: Mqtt5Session
    readonly maxPacketBytes: number
    readonly isOverQuota: boolean
  },
): { readonly reason: Reason; readonly bytes: Buffer } {
  const reason = isOverQuota ? REASON.quotaExceeded : reasonOfReturnCode(frame[3] ?? 0)
  if (reason !== REASON.success) return { reason, bytes: connackRefusing(reason) }
  const packet = {
    cmd: 'connack',
    reasonCode: reason,
    sessionPresent: frame[2] === 1,
    properties: {
      receiveMaximum: RECEIVE_MAXIMUM,
      maximumPacketSize: maxPacketBytes,
      topicAliasMaximum: 0,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false,
      // [MQTT-3.2.2-16]
      ...(session.isIdAssigned && { assignedClientIdentifier: session.clientId }),
    },
  } as const
  return { reason, bytes: generate(packet, { protocolVersion: 5 }) }
}

export function connackRefusing(reason: Reason): Buffer {
  return generate(
    { cmd: 'connack', reasonCode: reasonForConnack(reason), sessionPresent: false },
    { protocolVersion: 5 },
  )
}
