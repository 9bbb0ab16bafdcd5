import { randomUUID } from 'node:crypto'
import type { IClientOptions, MqttClient } from 'mqtt'
import { brokerError } from '../endpoints/broker-error.ts'
import { connectOnce } from '../endpoints/connect-once.ts'
import { hasCode, QsError } from '../errors/qs-error.ts'
import {
  CONTROL_TOPIC,
  type ControlCommand,
  type ControlResponse,
  RESPONSE_TOPIC,
} from './control-protocol.ts'

export interface OperatorLogin {
  readonly url: string
  readonly username: string | null
  readonly password: string | null
  /** PEM of the certificate authority for `mqtts`, unless it is a public one. */
  readonly ca: Buffer | null
}

interface Waiting {
  readonly resolve: (data: unknown) => void
  readonly reject: (error: QsError) => void
  readonly timer: NodeJS.Timeout
}

const CONNECT_TIMEOUT_MS = 5_000
const ANSWER_TIMEOUT_MS = 5_000

/**
 * A connection that manages accounts with dynamic-security commands. It uses MQTT 5, where a broker reports a denied
 * command; under 3.1.1, it drops the command silently.
 *
 * A broker closes the connections of an account when its rights change, without answering the command. For the
 * operator's own account this appears as BROKER_NO_ANSWER.
 */
export class ControlConnection {
  readonly #client: MqttClient
  readonly #login: OperatorLogin
  readonly #waiting = new Map<string, Waiting>()
  #isAnswered = false

  private constructor(client: MqttClient, login: OperatorLogin) {
    this.#client = client
    this.#login = login
  }

  /** @throws QsError if the broker is unreachable, refuses the login, or does not allow it to manage accounts */
  static async open(login: OperatorLogin): Promise<ControlConnection> {
    const client = await connectAs(login)
    const connection = new ControlConnection(client, login)
    client.on('message', (_topic, payload) => connection.#answer(payload))
    client.on('error', () => {})
    client.on('close', () => connection.#lose())
    try {
      await client.subscribeAsync(RESPONSE_TOPIC, { qos: 1 })
    } catch {
      await connection.close()
      throw notOperator(login.username)
    }
    return connection
  }

  /**
   * @returns the `data` of the answer
   * @throws QsError if it is not answered in time, or ACCOUNT_COMMAND_REFUSED with the broker's text as `cause`
   */
  run(command: ControlCommand): Promise<unknown> {
    const correlationData = randomUUID()
    const answered = new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(correlationData, this.#noAnswer()), ANSWER_TIMEOUT_MS)
      this.#waiting.set(correlationData, { resolve, reject, timer })
    })
    const payload = JSON.stringify({ commands: [{ ...command, correlationData }] })
    this.#client.publish(CONTROL_TOPIC, payload, { qos: 1 }, (error) => {
      if (!error) return
      const isDenied = (error as { code?: unknown }).code === 0x87
      this.#fail(correlationData, isDenied ? notOperator(this.#login.username) : connectionLost())
    })
    return answered
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true)
    this.#lose()
  }

  #noAnswer(): QsError {
    if (this.#isAnswered) return connectionLost()
    return new QsError(
      'NO_ACCOUNT_COMMANDS',
      `The broker at ${this.#login.url} does not answer commands for accounts`,
    )
  }

  #answer(payload: Buffer): void {
    this.#isAnswered = true
    const { responses } = JSON.parse(payload.toString()) as { responses: readonly ControlResponse[] }
    for (const { command, correlationData = '', error, data } of responses) {
      const waiting = this.#take(correlationData)
      if (error === undefined) waiting?.resolve(data)
      else {
        const problem = `The broker refuses ${command}: ${error}`
        waiting?.reject(new QsError('ACCOUNT_COMMAND_REFUSED', problem, { cause: error }))
      }
    }
  }

  #lose(): void {
    for (const id of this.#waiting.keys()) this.#fail(id, connectionLost())
  }

  #fail(id: string, error: QsError): void {
    this.#take(id)?.reject(error)
  }

  #take(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    clearTimeout(waiting?.timer)
    this.#waiting.delete(id)
    return waiting
  }
}

/** @throws QsError as brokerError */
async function connectAs({ url, username, password, ca }: OperatorLogin): Promise<MqttClient> {
  const options: IClientOptions = {
    protocolVersion: 5,
    clientId: `qs-accounts-${randomUUID()}`,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...(username !== null && { username }),
    ...(password !== null && { password }),
    ...(ca !== null && { ca }),
  }
  try {
    return await connectOnce(url, options)
  } catch (error) {
    throw brokerError(url, error)
  }
}

/** Whether the broker accepts this user and password. @throws QsError BROKER_UNREACHABLE */
export async function canLogIn(login: OperatorLogin): Promise<boolean> {
  try {
    await (await connectAs(login)).endAsync(true)
    return true
  } catch (error) {
    if (hasCode(error, 'BROKER_LOGIN_REFUSED')) return false
    throw error
  }
}

function notOperator(username: string | null): QsError {
  const who = username === null ? 'An anonymous user' : `The user ${username}`
  return new QsError('BROKER_FORBIDS', `${who} may not manage accounts at this broker`)
}

function connectionLost(): QsError {
  return new QsError(
    'BROKER_NO_ANSWER',
    'The broker did not answer a command, or closed the connection first',
  )
}
