import { hasCode } from '../errors/qs-error.ts'
import type { ControlConnection } from './control-connection.ts'
import {
  type AccountEntry,
  type Acl,
  type ControlCommand,
  REFUSALS,
  type RoleEntry,
} from './control-protocol.ts'
import { sameAcls } from './roles.ts'

/** Lists are read in pages, since a broker limits message size. */
const PAGE = 500

export async function findAccount(
  connection: ControlConnection,
  username: string,
): Promise<AccountEntry | null> {
  const data = await orNull(connection.run({ command: 'getClient', username }), REFUSALS.noClient)
  return data === null ? null : (data as { client: AccountEntry }).client
}

export async function findRole(connection: ControlConnection, rolename: string): Promise<RoleEntry | null> {
  const data = await orNull(connection.run({ command: 'getRole', rolename }), REFUSALS.noRole)
  return data === null ? null : (data as { role: RoleEntry }).role
}

export function listAccounts(connection: ControlConnection): Promise<readonly AccountEntry[]> {
  return pages(connection, { command: 'listClients', verbose: true }, 'clients')
}

export function listRoles(connection: ControlConnection): Promise<readonly RoleEntry[]> {
  return pages(connection, { command: 'listRoles', verbose: true }, 'roles')
}

/** Creates or corrects a role. @returns what was done */
export async function ensureRole(
  connection: ControlConnection,
  rolename: string,
  acls: readonly Acl[],
): Promise<'created' | 'repaired' | 'kept'> {
  const role = await findRole(connection, rolename)
  if (role === null) {
    await connection.run({ command: 'createRole', rolename, acls })
    return 'created'
  }
  // A broker disconnects all clients with a changed role, so change it only if needed.
  if (sameAcls(role.acls, acls)) return 'kept'
  await connection.run({ command: 'modifyRole', rolename, acls })
  return 'repaired'
}

async function pages<T>(
  connection: ControlConnection,
  command: ControlCommand,
  field: string,
): Promise<readonly T[]> {
  const all: T[] = []
  for (;;) {
    const data = await connection.run({ ...command, count: PAGE, offset: all.length })
    const page = (data as Record<string, readonly T[]>)[field] ?? []
    all.push(...page)
    if (page.length < PAGE) return all
  }
}

/** The data, or null if the broker refuses with exactly this text. */
export async function orNull(answer: Promise<unknown>, refusal: string): Promise<unknown> {
  try {
    return (await answer) ?? {}
  } catch (error) {
    if (hasCode(error, 'ACCOUNT_COMMAND_REFUSED') && error.cause === refusal) return null
    throw error
  }
}
