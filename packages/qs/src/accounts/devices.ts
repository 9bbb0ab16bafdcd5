import { isDeviceId } from '@qs-telemetry/protocol'
import type { ControlConnection } from './control-connection.ts'
import { type AccountEntry, REFUSALS } from './control-protocol.ts'
import { AccountsError } from './errors.ts'
import { ensureRole, findAccount, listAccounts, orNull } from './queries.ts'
import { type AccountTopics, deviceAcls, deviceOfRole, deviceRole } from './roles.ts'

export interface NewDevice {
  readonly deviceId: string
  readonly password: string
  readonly topics: AccountTopics
}

/**
 * Makes the account of a device: user = client id = device id, and a role for its own topics alone.
 *
 * @throws AccountsError 'name-taken' where there is an account of this name; others of the connection
 */
export async function addDevice(
  connection: ControlConnection,
  { deviceId, password, topics }: NewDevice,
): Promise<void> {
  if (!isDeviceId(deviceId)) throw new RangeError(`"${deviceId}" cannot be a device id`)
  const found = await findAccount(connection, deviceId)
  if (found !== null) throw nameTaken(found)
  const rolename = deviceRole(deviceId)
  // It may be there: a removal that broke off between account and role left it.
  await ensureRole(connection, rolename, deviceAcls(deviceId, topics))
  await connection.run({
    command: 'createClient',
    username: deviceId,
    clientid: deviceId,
    password,
    roles: [{ rolename }],
  })
}

/** Ends its connections at once, the account first: nothing is left that could connect again. */
export async function removeDevice(connection: ControlConnection, deviceId: string): Promise<void> {
  await requireDevice(connection, deviceId)
  await connection.run({ command: 'deleteClient', username: deviceId })
  await orNull(connection.run({ command: 'deleteRole', rolename: deviceRole(deviceId) }), REFUSALS.noRole)
}

/** A new password, which ends the connections with the old one. Its session and what is queued in it stay. */
export async function rotateDevice(
  connection: ControlConnection,
  deviceId: string,
  password: string,
): Promise<void> {
  await requireDevice(connection, deviceId)
  await connection.run({ command: 'setClientPassword', username: deviceId, password })
}

/** The ids of all devices that have an account. */
export async function listDeviceAccounts(connection: ControlConnection): Promise<readonly string[]> {
  const accounts = await listAccounts(connection)
  return accounts.filter(isDevice).map(({ username }) => username)
}

async function requireDevice(connection: ControlConnection, deviceId: string): Promise<void> {
  const account = await findAccount(connection, deviceId)
  if (account === null) {
    throw new AccountsError(
      'no-device',
      `There is no account ${deviceId}. qs device ls lists those that are; qs device add makes one.`,
    )
  }
  if (!isDevice(account)) throw new AccountsError('no-device', `${deviceId} is an account, but no device's.`)
}

function nameTaken(account: AccountEntry): AccountsError {
  const { username } = account
  return new AccountsError(
    'name-taken',
    isDevice(account)
      ? `${username} has an account already. For a new password: qs device rotate ${username}`
      : `${username} is an account that is no device's. Give the device another id.`,
  )
}

function isDevice({ username, roles }: AccountEntry): boolean {
  return roles.some(({ rolename }) => deviceOfRole(rolename) === username)
}
