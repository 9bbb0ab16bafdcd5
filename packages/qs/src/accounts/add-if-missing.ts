import { hasCode } from '../errors/qs-error.ts'
import type { ControlConnection } from './control-connection.ts'
import { addDevice } from './devices.ts'
import { newPassword } from './new-password.ts'
import type { AccountTopics } from './roles.ts'

/** Creates an account. @returns its password; null: there is one already, and its password cannot be read */
export async function addIfMissing(
  connection: ControlConnection,
  deviceId: string,
  topics: AccountTopics,
): Promise<string | null> {
  const password = newPassword()
  try {
    await addDevice(connection, { deviceId, password, topics })
    return password
  } catch (error) {
    if (hasCode(error, 'ACCOUNT_EXISTS')) return null
    throw error
  }
}
