import { DeviceError } from '@qs-telemetry/device'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { refusedConnection } from '../errors/refused-connection.ts'

/** Why a connection of MQTT.js or of a DeviceClient failed. */
export function brokerError(url: string, error: unknown): QsError {
  const cause = error instanceof DeviceError ? error.cause : error
  const { code } = (cause ?? {}) as { readonly code?: unknown }
  if (typeof code === 'number') return refusedConnection(code, `The broker at ${url}`, error)
  if (cause instanceof DeviceError && cause.code === 'CONNECTION_ENDED')
    return new QsError('BROKER_NO_ANSWER', `The broker at ${url}: ${cause.message}`, { cause: error })
  // The device client connects, and then may not subscribe to its ack topic.
  if (cause instanceof DeviceError)
    return new QsError('BROKER_FORBIDS', `The broker at ${url}: ${cause.message}`, { cause: error })
  const reason = cause === undefined ? 'no answer in time' : reasonOf(cause)
  return new QsError('BROKER_UNREACHABLE', `No connection to the broker at ${url}: ${reason}`, {
    cause: error,
  })
}
