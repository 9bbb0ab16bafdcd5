import type { System } from '@qs-telemetry/protocol/api'
import { addIfMissing } from '../accounts/add-if-missing.ts'
import { ControlConnection } from '../accounts/control-connection.ts'
import { addDevice, removeDevice, rotateDevice } from '../accounts/devices.ts'
import { newPassword } from '../accounts/new-password.ts'
import { accountTopics, operatorLogin } from '../accounts/operator-login.ts'
import { findRole } from '../accounts/queries.ts'
import { OPERATOR } from '../accounts/roles.ts'
import type { Config } from '../config/settings.ts'
import { hasCode, QsError } from '../errors/qs-error.ts'

export type AccountsState = Pick<System, 'credentials' | 'credentialsProblem'>

/** Pages poll often, and the answer rarely changes. */
const KEEP_MS = 30_000

/**
 * Manages accounts at the broker, if this console may: as CONSOLE_MQTT_USERNAME or, if unset, as MQTT_USERNAME. That
 * user may do so at the embedded broker and in `qs console`; an ingester's own account may not.
 */
export class BrokerAccounts {
  readonly #config: Config
  readonly #mqttUrl: string
  #kept: { readonly atMs: number; readonly state: Promise<AccountsState> } | null = null

  constructor(config: Config, mqttUrl: string) {
    const { CONSOLE_MQTT_USERNAME: username, CONSOLE_MQTT_PASSWORD: password } = config
    const isOwn = username !== null
    this.#config = isOwn ? { ...config, MQTT_USERNAME: username, MQTT_PASSWORD: password } : config
    this.#mqttUrl = mqttUrl
  }

  /** Tests the rights with a read-only command. */
  state(): Promise<AccountsState> {
    const nowMs = performance.now()
    if (this.#kept === null || nowMs - this.#kept.atMs > KEEP_MS)
      this.#kept = { atMs: nowMs, state: this.#ask() }
    return this.#kept.state
  }

  /** @returns the password of the new account @throws QsError */
  async add(deviceId: string): Promise<string> {
    const password = newPassword()
    const topics = accountTopics(this.#config)
    await this.#use((connection) => addDevice(connection, { deviceId, password, topics }))
    return password
  }

  /** @returns the password of each new account; null: there was one @throws QsError */
  addMissing(deviceIds: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
    const topics = accountTopics(this.#config)
    return this.#use(async (connection) => {
      const made = new Map<string, string | null>()
      for (const deviceId of deviceIds) made.set(deviceId, await addIfMissing(connection, deviceId, topics))
      return made
    })
  }

  /** @returns the new password @throws QsError */
  async rotate(deviceId: string): Promise<string> {
    const password = newPassword()
    await this.#use((connection) => rotateDevice(connection, deviceId, password))
    return password
  }

  /** @returns false if it has no account @throws QsError */
  async remove(deviceId: string): Promise<boolean> {
    try {
      await this.#use((connection) => removeDevice(connection, deviceId))
      return true
    } catch (error) {
      if (hasCode(error, 'NO_SUCH_ACCOUNT')) return false
      throw error
    }
  }

  async #ask(): Promise<AccountsState> {
    // The broker admits anonymous clients, or the pipeline would not work either.
    if (this.#config.MQTT_USERNAME === null) return { credentials: 'none', credentialsProblem: null }
    try {
      await this.#use((connection) => findRole(connection, OPERATOR))
      return { credentials: 'made-here', credentialsProblem: null }
    } catch (error) {
      if (!(error instanceof QsError)) throw error
      return { credentials: 'made-elsewhere', credentialsProblem: inTheseSettings(error.message) }
    }
  }

  async #use<T>(work: (connection: ControlConnection) => Promise<T>): Promise<T> {
    const connection = await ControlConnection.open({ ...operatorLogin(this.#config), url: this.#mqttUrl })
    try {
      return await work(connection)
    } finally {
      await connection.close()
    }
  }
}

/** Replaces the settings of the commands with those of the console. */
function inTheseSettings(message: string): string {
  return message.replace('MQTT_USERNAME and MQTT_PASSWORD', 'CONSOLE_MQTT_USERNAME and CONSOLE_MQTT_PASSWORD')
}
