import { randomUUID } from 'node:crypto'
import { DeviceClient } from '@qs-telemetry/device'
import { ControlConnection, type OperatorLogin } from '../accounts/control-connection.ts'
import { addDevice, removeDevice } from '../accounts/devices.ts'
import { newPassword } from '../accounts/new-password.ts'
import type { AccountTopics } from '../accounts/roles.ts'
import { hasCode } from '../errors/qs-error.ts'
import { Board } from './board.ts'
import { HonestDevice } from './honest-device.ts'

export interface SetUpOptions {
  readonly operator: OperatorLogin
  readonly topics: AccountTopics
  /** Longest time that a device may wait for the servers. */
  readonly maxWaitMs: number
}

/** The devices of a run, with their own accounts if the broker manages accounts. */
export interface SetUp {
  readonly run: string
  readonly attacker: Board
  readonly victim: Board
  readonly honest: HonestDevice
  readonly maxWaitMs: number
  readonly hasAccounts: boolean
  /** Ends connections and removes the accounts. */
  remove(): Promise<void>
}

/**
 * Creates what a run needs at the broker; `remove` deletes all of it.
 *
 * @throws QsError, DeviceError if the broker is unreachable or refuses the operator
 */
export async function setUp({ operator, topics, maxWaitMs }: SetUpOptions): Promise<SetUp> {
  const run = `qs-attack-${randomUUID().slice(0, 8)}`
  const accounts = await Accounts.open(operator, topics)
  const board = async (name: string) => {
    const deviceId = `${run}-${name}`
    const login = await accounts.add(deviceId)
    const { url, ca } = operator
    return { options: { url, ca, deviceId, login }, deviceId, login }
  }
  try {
    const [attacker, victim, honest] = [await board('attacker'), await board('victim'), await board('honest')]
    const shared = { events: topics.events, ackTemplate: topics.ackTemplate, maxWaitMs }
    const client = new DeviceClient({
      url: operator.url,
      deviceId: honest.deviceId,
      clientId: honest.deviceId,
      eventsTopic: topics.events.topicOf('+'),
      ackTemplate: topics.ackTemplate,
      resendAfterMs: 2_000,
      reconnectMs: 200,
      ...(honest.login !== null && honest.login),
      ...(operator.ca !== null && { mqtt: { ca: operator.ca } }),
    })
    const device = new HonestDevice(client, maxWaitMs)
    return {
      run,
      attacker: new Board({ ...attacker.options, ...shared }),
      victim: new Board({ ...victim.options, ...shared }),
      honest: device,
      maxWaitMs,
      hasAccounts: accounts.areManaged,
      remove: async () => {
        await device.stop()
        await accounts.removeAll()
      },
    }
  } catch (error) {
    await accounts.removeAll()
    throw error
  }
}

/** Accounts of a run, created by the operator if the broker manages accounts. */
class Accounts {
  readonly #operator: OperatorLogin
  readonly #topics: AccountTopics
  readonly #added: string[] = []
  readonly areManaged: boolean

  private constructor(operator: OperatorLogin, topics: AccountTopics, areManaged: boolean) {
    this.#operator = operator
    this.#topics = topics
    this.areManaged = areManaged
  }

  static async open(operator: OperatorLogin, topics: AccountTopics): Promise<Accounts> {
    return new Accounts(operator, topics, operator.username !== null && (await areManaged(operator)))
  }

  /** @returns the operator's login if the broker manages no accounts; null if it requires no login */
  async add(deviceId: string): Promise<{ readonly username: string; readonly password: string } | null> {
    const { username, password } = this.#operator
    if (!this.areManaged) return username === null ? null : { username, password: password ?? '' }
    const login = { username: deviceId, password: newPassword() }
    await withControl(this.#operator, (control) =>
      addDevice(control, { deviceId, password: login.password, topics: this.#topics }),
    )
    this.#added.push(deviceId)
    return login
  }

  async removeAll(): Promise<void> {
    for (const deviceId of this.#added.splice(0))
      await withControl(this.#operator, (control) => removeDevice(control, deviceId))
  }
}

async function areManaged(operator: OperatorLogin): Promise<boolean> {
  try {
    await withControl(operator, (control) => control.run({ command: 'listClients', count: 1, offset: 0 }))
    return true
  } catch (error) {
    if (hasCode(error, 'NO_ACCOUNT_COMMANDS')) return false
    throw error
  }
}

async function withControl<T>(
  operator: OperatorLogin,
  work: (control: ControlConnection) => Promise<T>,
): Promise<T> {
  const control = await ControlConnection.open(operator)
  try {
    return await work(control)
  } finally {
    await control.close()
  }
}
