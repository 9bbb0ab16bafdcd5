/** Why a connection could not be made or has ended. */
export class ConnectionError extends Error {
  /** Whether another attempt may succeed. If not, an operator is needed, and the message says what to do. */
  readonly retryable: boolean
  /** The broker may not support this version of MQTT: the next try uses the other one. */
  readonly tryOtherVersion: boolean

  constructor(
    message: string,
    traits: { readonly retryable?: boolean; readonly tryOtherVersion?: boolean } = {},
  ) {
    super(message)
    this.name = 'ConnectionError'
    this.retryable = traits.retryable ?? true
    this.tryOtherVersion = traits.tryOtherVersion ?? false
  }
}

const CREDENTIALS = 'The broker refused the user name or password. Check MQTT_USERNAME and MQTT_PASSWORD.'
const FORBIDDEN =
  'The broker does not allow this user to connect. Check its access rules, MQTT_USERNAME and MQTT_PASSWORD.'
const CLIENT_ID = 'The broker refused the client id. Check MQTT_CLIENT_ID.'

/** CONNACK codes for which retrying does not help, of 3.1.1 [table 3.1] and of 5 [section 3.2.2.2]. */
const PERMANENT: Readonly<Record<number, string>> = {
  2: CLIENT_ID,
  4: CREDENTIALS,
  5: FORBIDDEN,
  133: CLIENT_ID,
  134: CREDENTIALS,
  135: FORBIDDEN,
  138: 'The broker has banned this client.',
  140: 'The broker requires an authentication method other than user name and password.',
}

/** Unsupported protocol version, in 3.1.1 and in 5. */
const OLDER_VERSION: ReadonlySet<number> = new Set([1, 132])

export function refusedConnection(code: number): ConnectionError {
  const permanent = PERMANENT[code]
  if (permanent !== undefined) return new ConnectionError(permanent, { retryable: false })
  return new ConnectionError(`The broker refused the connection with code ${code}`, {
    tryOtherVersion: OLDER_VERSION.has(code),
  })
}

export function refusedSubscription(filter: string): ConnectionError {
  return new ConnectionError(
    `The broker does not allow this user to subscribe to ${filter}. Check its access rules and MQTT_EVENTS_TOPIC.`,
    { retryable: false },
  )
}

/** DISCONNECT of MQTT 5 [section 3.14.2.1]. */
export function disconnectedByBroker(code: number): ConnectionError {
  if (code === 142) {
    return new ConnectionError(
      'Another client connected with the same client id and took over the session. Give each ingester its own MQTT_CLIENT_ID.',
      { retryable: false },
    )
  }
  return new ConnectionError(`The broker ended the connection with code ${code}`)
}
