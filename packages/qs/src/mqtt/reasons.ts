/** Reason codes used by this broker [MQTT 5, table 2-6]. */
export const REASON = {
  success: 0x00,
  noMatchingSubscribers: 0x10,
  noSubscriptionExisted: 0x11,
  unspecified: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  unsupportedVersion: 0x84,
  clientIdInvalid: 0x85,
  badCredentials: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  shuttingDown: 0x8b,
  badAuthenticationMethod: 0x8c,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  payloadFormatInvalid: 0x99,
} as const

export type Reason = (typeof REASON)[keyof typeof REASON]

/** A reason to close a connection [MQTT-4.13.1-1]. */
export class ProtocolFault extends Error {
  readonly reason: Reason

  constructor(reason: Reason, message: string) {
    super(message)
    this.name = 'ProtocolFault'
    this.reason = reason
  }
}

/** Return codes of a 3.1.1 CONNACK by reason code [3.1.1, table 3.1]; all others are "server unavailable". */
const RETURN_CODES: ReadonlyMap<Reason, number> = new Map([
  [REASON.success, 0],
  [REASON.unsupportedVersion, 1],
  [REASON.clientIdInvalid, 2],
  [REASON.badCredentials, 4],
  [REASON.notAuthorized, 5],
])
const SERVER_UNAVAILABLE = 3

export function returnCodeOf(reason: Reason): number {
  return RETURN_CODES.get(reason) ?? SERVER_UNAVAILABLE
}

/** Reason codes of DISCONNECT that are not valid in CONNACK [MQTT 5, 3.2.2.2], and their replacements. */
const IN_CONNACK: ReadonlyMap<Reason, Reason> = new Map([
  [REASON.shuttingDown, REASON.serverUnavailable],
  [REASON.sessionTakenOver, REASON.serverUnavailable],
  [REASON.keepAliveTimeout, REASON.serverUnavailable],
  [REASON.administrativeAction, REASON.notAuthorized],
])

export function reasonForConnack(reason: Reason): Reason {
  return IN_CONNACK.get(reason) ?? reason
}
