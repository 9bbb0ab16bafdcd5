import { reasonWords } from '@qs-telemetry/protocol'
import type { ErrorCode } from '../errors/errors.ts'
import { QsError } from '../errors/qs-error.ts'

/**
 * SUBACK codes that last until rights, MQTT_EVENTS_TOPIC or the broker change [MQTT 5, 3.9.3]. The others may pass:
 * 0x80 Unspecified error, 0x83 Implementation specific error, 0x91 Packet Identifier in use, 0x97 Quota exceeded.
 */
const PERMANENT: Readonly<Record<number, ErrorCode>> = {
  135: 'BROKER_FORBIDS',
  143: 'BROKER_REFUSED',
  158: 'BROKER_REFUSED',
  161: 'BROKER_REFUSED',
  162: 'BROKER_REFUSED',
}

/** In 3.1.1, 0x80 is the only code of a refusal, and what an access rule causes [3.1.1, 3.9.3]. */
export function refusedSubscription(filter: string, code: number, protocolVersion: 4 | 5): QsError {
  return protocolVersion === 4
    ? new QsError(
        'BROKER_FORBIDS',
        `The broker does not allow this user to subscribe to ${filter}, which is MQTT_EVENTS_TOPIC`,
      )
    : new QsError(
        PERMANENT[code] ?? 'BROKER_BUSY',
        `The broker refuses a subscription to ${filter}, which is MQTT_EVENTS_TOPIC: ${reasonWords(code)}`,
      )
}

/** DISCONNECT of MQTT 5 [section 3.14.2.1]. */
export function disconnectedByBroker(code: number, reasonString?: string): QsError {
  return code === 142
    ? new QsError(
        'CLIENT_ID_IN_USE',
        'Another client connected with the same client id and took over the session',
      )
    : new QsError('BROKER_NO_ANSWER', `The broker ended the connection: ${reasonWords(code, reasonString)}`)
}
