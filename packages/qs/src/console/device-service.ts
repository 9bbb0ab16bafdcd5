import { type DeviceLogin, deviceLogin } from '../accounts/device-login.ts'
import { deviceNameProblem } from '../accounts/device-name.ts'
import { SNIPPETS } from '../accounts/device-snippets.ts'
import type { Config } from '../config/settings.ts'
import { QsError } from '../errors/qs-error.ts'
import type { BrokerAccounts } from './broker-accounts.ts'
import type { DeviceService } from './services.ts'

export interface DeviceServiceOptions {
  readonly config: Config
  readonly accounts: BrokerAccounts
}

/** Creates device accounts, if this process may, and returns the login for the board. */
export function deviceService({ config, accounts }: DeviceServiceOptions): DeviceService {
  const passwordFor = async (deviceId: string): Promise<string | null> => {
    const { credentials, credentialsProblem } = await accounts.state()
    if (credentials === 'none') return null
    if (credentials === 'made-here') return accounts.add(deviceId)
    throw new QsError(
      'ACCOUNTS_MANAGED_ELSEWHERE',
      credentialsProblem ?? 'This console has no account for it',
    )
  }
  return {
    add: async (deviceId) => {
      const problem = deviceNameProblem(config, deviceId)
      if (problem !== null) throw new QsError('INVALID_DEVICE_ID', problem)
      return answer(deviceLogin(config, deviceId, ''), await passwordFor(deviceId))
    },
  }
}

function answer(complete: DeviceLogin, password: string | null) {
  const { qr: _qr, ...snippets } = SNIPPETS
  const { authority: _authority, ...login } = complete
  const own = { ...complete, password: password ?? '' }
  return {
    ...login,
    password,
    snippets: Object.fromEntries(Object.entries(snippets).map(([name, write]) => [name, write(own)])),
  }
}
