/** MQTT Control Packet types [MQTT 5, table 2-1]. */
export const CONNECT = 1
export const CONNACK = 2
export const PUBLISH = 3
export const PUBACK = 4
export const PUBREC = 5
export const PUBREL = 6
export const PUBCOMP = 7
export const SUBSCRIBE = 8
export const SUBACK = 9
export const UNSUBSCRIBE = 10
export const UNSUBACK = 11
export const PINGREQ = 12
export const PINGRESP = 13
export const DISCONNECT = 14

/** The packets that answer a PUBLISH or another answer. */
export type AnswerType = typeof PUBACK | typeof PUBREC | typeof PUBREL | typeof PUBCOMP

export type Qos = 0 | 1 | 2

/** MQTT 3.1 (3), 3.1.1 (4) and 5, as in CONNECT. */
export type Level = 3 | 4 | 5
