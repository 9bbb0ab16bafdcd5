import { type DeviceLogin, deviceLogin } from '../accounts/device-login.ts'
import { deviceNameProblem } from '../accounts/device-name.ts'
import { SNIPPETS } from '../accounts/device-snippets.ts'
import { AccountsError } from '../accounts/errors.ts'
import type { Config } from '../config/settings.ts'
import type { BrokerAccounts } from './broker-accounts.ts'
import { HttpProblem } from './problem.ts'
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
    throw new HttpProblem(409, `${credentialsProblem} Or create the account with: qs device add ${deviceId}`)
  }
  return {
    add: async (deviceId) => {
      const problem = deviceNameProblem(config, deviceId)
      if (problem !== null) throw new HttpProblem(400, problem)
      try {
        return answer(deviceLogin(config, deviceId, ''), await passwordFor(deviceId))
      } catch (error) {
        if (!(error instanceof AccountsError)) throw error
        throw new HttpProblem(error.problem === 'name-taken' ? 409 : 503, error.message)
      }
    },
  }
}

function answer(login: DeviceLogin, password: string | null) {
  const { qr: _qr, ...snippets } = SNIPPETS
  const complete = { ...login, password: password ?? '' }
  return {
    ...login,
    password,
    snippets: Object.fromEntries(Object.entries(snippets).map(([name, write]) => [name, write(complete)])),
  }
}
