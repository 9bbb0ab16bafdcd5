/** Why accounts cannot be managed. The message says what to do. */
export type AccountsProblem =
  | 'unreachable'
  | 'refused'
  | 'not-operator'
  | 'no-dynamic-security'
  | 'connection-lost'
  | 'command'
  | 'name-taken'
  | 'no-device'
  | 'no-need'

export class AccountsError extends Error {
  readonly problem: AccountsProblem
  /** The broker's error text, if it refused a command. */
  readonly refusal: string | null

  constructor(problem: AccountsProblem, message: string, refusal: string | null = null) {
    super(message)
    this.name = 'AccountsError'
    this.problem = problem
    this.refusal = refusal
  }
}

/** MQTT 5: bad user name or password, not authorized, banned; and the two of MQTT 3.1.1. */
const REFUSED = new Set([0x86, 0x87, 0x8a, 4, 5])

export function connectError(url: string, error: Error): AccountsError {
  const { code } = error as { code?: unknown }
  if (typeof code === 'number' && REFUSED.has(code)) {
    return new AccountsError(
      'refused',
      `The broker at ${url} refuses this user and password. Set MQTT_USERNAME and MQTT_PASSWORD to the operator's.`,
    )
  }
  const reason = error instanceof AggregateError ? (error.errors[0] as Error).message : error.message
  return new AccountsError(
    'unreachable',
    `No connection to the broker at ${url}: ${reason}. Is it running? qs up starts one; MQTT_URL names another.`,
  )
}

export function notOperator(username: string | null): AccountsError {
  return new AccountsError(
    'not-operator',
    `${username === null ? 'An anonymous user' : `The user ${username}`} may not manage accounts at this broker. ` +
      "Set MQTT_USERNAME and MQTT_PASSWORD to the operator's.",
  )
}

export function noDynamicSecurity(url: string): AccountsError {
  return new AccountsError(
    'no-dynamic-security',
    `The broker at ${url} does not answer account commands. Mosquitto needs its dynamic-security plugin ` +
      '(plugin …/mosquitto_dynamic_security.so, plugin_opt_config_file …; see docs/devices.md); other brokers have ' +
      'their own account management.',
  )
}

export function noNeed(): AccountsError {
  return new AccountsError(
    'no-need',
    'This is the embedded broker of qs up, which needs no provisioning: its operator is MQTT_USERNAME, and qs device add ' +
      'works without further setup.',
  )
}

export function connectionLost(): AccountsError {
  return new AccountsError(
    'connection-lost',
    'The broker did not answer, or closed the connection first. Try again.',
  )
}
