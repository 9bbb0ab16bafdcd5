import { type DeviceLogin, deviceLogin } from '../accounts/device-login.ts'
import { deviceNameProblem } from '../accounts/device-name.ts'
import { SNIPPETS } from '../accounts/device-snippets.ts'
import { qrPath } from '../accounts/qr-path.ts'
import { readDeviceList } from '../accounts/read-device-list.ts'
import type { Config } from '../config/settings.ts'
import type { Ask } from '../database/query-pool.ts'
import { describeNewDevice } from '../devices/describe-new-device.ts'
import { removeDevice } from '../devices/remove-devices.ts'
import { hasCode, QsError } from '../errors/qs-error.ts'
import type { BrokerAccounts } from './broker-accounts.ts'
import type { DeviceService } from './services.ts'

export interface DeviceServiceOptions {
  readonly config: Config
  readonly accounts: BrokerAccounts
  readonly write: Ask
}

/** Device accounts, if this process may manage them, with the logins for boards; and removal. */
export function deviceService({ config, accounts, write }: DeviceServiceOptions): DeviceService {
  /** Whether the broker has accounts. @throws QsError if this process may not manage them */
  const hasAccounts = async (): Promise<boolean> => {
    const { credentials, credentialsProblem } = await accounts.state()
    if (credentials !== 'made-elsewhere') return credentials === 'made-here'
    throw new QsError(
      'ACCOUNTS_MANAGED_ELSEWHERE',
      credentialsProblem ?? 'This console has no account for it',
    )
  }
  const loginOf = (deviceId: string, password: string | null) =>
    answer(deviceLogin(config, deviceId, ''), password)
  return {
    add: async (deviceId) => {
      const problem = deviceNameProblem(config, deviceId)
      if (problem !== null) throw new QsError('INVALID_DEVICE_ID', problem)
      return loginOf(deviceId, (await hasAccounts()) ? await accounts.add(deviceId) : null)
    },
    addListed: async (csv) => {
      const listed = readDeviceList(config, csv)
      const made = (await hasAccounts())
        ? await accounts.addMissing(listed.map(({ deviceId }) => deviceId))
        : null
      for (const each of listed) await describeNewDevice(write, each)
      const existing = listed.filter(({ deviceId }) => made?.get(deviceId) === null)
      return {
        devices: listed
          .filter((each) => !existing.includes(each))
          .map(({ deviceId, label, room }) => ({
            ...{ label, room },
            login: loginOf(deviceId, made?.get(deviceId) ?? null),
          })),
        existing: existing.map(({ deviceId }) => deviceId),
      }
    },
    rotate: async (deviceId) => {
      if (!(await hasAccounts()))
        throw new QsError(
          'ACCOUNTS_MANAGED_ELSEWHERE',
          'The broker needs no passwords, so this device has none',
        )
      return loginOf(deviceId, await rotateOrAdd(accounts, deviceId))
    },
    remove: async (deviceId) => {
      const { credentials } = await accounts.state()
      const hadAccount = credentials === 'made-here' && (await accounts.remove(deviceId))
      const { events, finish } = await removeDevice(write, deviceId)
      // In the background: what stays, if this process ends first, is a device without events.
      finish?.().catch(() => {})
      if (credentials === 'made-elsewhere') return { events, account: credentials }
      return { events, account: hadAccount ? 'removed' : 'none' }
    },
  }
}

/** A device from before there were accounts gets one. */
async function rotateOrAdd(accounts: BrokerAccounts, deviceId: string): Promise<string> {
  try {
    return await accounts.rotate(deviceId)
  } catch (error) {
    if (hasCode(error, 'NO_SUCH_ACCOUNT')) return accounts.add(deviceId)
    throw error
  }
}

function answer(complete: DeviceLogin, password: string | null) {
  const { qr: _qr, ...snippets } = SNIPPETS
  const { authority: _authority, ...login } = complete
  const own = { ...complete, password: password ?? '' }
  return {
    ...login,
    password,
    qr: qrPath(own),
    snippets: Object.fromEntries(Object.entries(snippets).map(([name, write]) => [name, write(own)])),
  }
}
