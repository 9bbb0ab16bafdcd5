import { QsError } from '../errors/qs-error.ts'

export function refusedSubscription(filter: string): QsError {
  return new QsError(
    'BROKER_FORBIDS',
    `The broker does not allow this user to subscribe to ${filter}, which is MQTT_EVENTS_TOPIC`,
  )
}

/** DISCONNECT of MQTT 5 [section 3.14.2.1]. */
export function disconnectedByBroker(code: number): QsError {
  return code === 142
    ? new QsError(
        'CLIENT_ID_IN_USE',
        'Another client connected with the same client id and took over the session',
      )
    : new QsError('BROKER_NO_ANSWER', `The broker ended the connection with code ${code}`)
}
