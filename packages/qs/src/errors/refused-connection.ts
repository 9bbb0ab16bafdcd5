import type { ErrorCode } from './errors.ts'
import { QsError } from './qs-error.ts'

/** CONNACK codes of 3.1.1 [table 3.1] and of 5 [section 3.2.2.2] that need a change. */
const REFUSALS: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  1: ['BROKER_ENDED_LOGIN', 'does not support this version of MQTT'],
  2: ['BROKER_REFUSED', 'refuses the client id'],
  4: ['BROKER_LOGIN_REFUSED', 'refuses the user name or the password'],
  // What Mosquitto answers to a wrong password.
  5: [
    'BROKER_LOGIN_REFUSED',
    'refuses the user name or the password, or does not allow this user to connect',
  ],
  132: ['BROKER_ENDED_LOGIN', 'does not support this version of MQTT'],
  133: ['BROKER_REFUSED', 'refuses the client id'],
  134: ['BROKER_LOGIN_REFUSED', 'refuses the user name or the password'],
  135: [
    'BROKER_LOGIN_REFUSED',
    'refuses the user name or the password, or does not allow this user to connect',
  ],
  138: ['BROKER_REFUSED', 'has banned this client'],
  140: ['BROKER_REFUSED', 'requires an authentication method other than user name and password'],
}

/** The broker answered CONNECT with this code, which is not 0. */
export function refusedConnection(connackCode: number, broker = 'The broker', cause?: unknown): QsError {
  const [code, problem] = REFUSALS[connackCode] ?? ['BROKER_BUSY', `answers a login with code ${connackCode}`]
  return new QsError(code, `${broker} ${problem}`, { cause })
}
