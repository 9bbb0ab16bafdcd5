import { isDeviceId } from '@qs-telemetry/protocol'
import { QsError } from '../errors/qs-error.ts'
import type { ControlConnection } from './control-connection.ts'
import { type AccountEntry, REFUSALS } from './control-protocol.ts'
import { ensureRole, findAccount, listAccounts, orNull } from './queries.ts'
import { type AccountTopics, deviceAcls, deviceOfRole, deviceRole } from './roles.ts'

export interface NewDevice {
  readonly deviceId: string
  readonly password: string
  readonly topics: AccountTopics
}

/**
 * Creates the account of a device: user = client id = device id, and a role for its own topics only.
 *
 * @throws QsError ACCOUNT_EXISTS; other errors of the connection
 */
export async function addDevice(
  connection: ControlConnection,
  { deviceId, password, topics }: NewDevice,
): Promise<void> {
  if (!isDeviceId(deviceId)) throw new QsError('INVALID_DEVICE_ID', `"${deviceId}" cannot be a device id`)
  const found = await findAccount(connection, deviceId)
  if (found !== null) throw nameTaken(found)
  const rolename = deviceRole(deviceId)
  // The role may exist: an interrupted removal leaves it behind.
  await ensureRole(connection, rolename, deviceAcls(deviceId, topics))
  await connection.run({
    command: 'createClient',
    username: deviceId,
    clientid: deviceId,
    password,
    roles: [{ rolename }],
  })
}

/** Removes the account first, which closes its connections and prevents new ones. */
export async function removeDevice(connection: ControlConnection, deviceId: string): Promise<void> {
  await requireDevice(connection, deviceId)
  await connection.run({ command: 'deleteClient', username: deviceId })
  await orNull(connection.run({ command: 'deleteRole', rolename: deviceRole(deviceId) }), REFUSALS.noRole)
}

/** Sets a new password, which closes connections with the old one. The session and its queue stay. */
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
  if (account === null) throw new QsError('NO_SUCH_ACCOUNT', `There is no account ${deviceId}`)
  if (!isDevice(account)) throw new QsError('NO_SUCH_ACCOUNT', `${deviceId} is not the account of a device`)
}

function nameTaken(account: AccountEntry): QsError {
  const { username } = account
  const problem = isDevice(account)
    ? `${username} already has an account; for a new password: qs device rotate ${username}`
    : `${username} is an account that does not belong to a device`
  return new QsError('ACCOUNT_EXISTS', problem)
}

function isDevice({ username, roles }: AccountEntry): boolean {
  return roles.some(({ rolename }) => deviceOfRole(rolename) === username)
}
