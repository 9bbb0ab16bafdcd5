import { ACL_TYPES, type Acl, type ControlCommand, REFUSALS } from '../../accounts/control-protocol.ts'
import { OPERATOR } from '../../accounts/roles.ts'
import type { Access } from './access.ts'
import type { AccountStore, StoredAccount } from './account-store.ts'
import { hashPassword } from './password-hash.ts'

export interface ControlOptions {
  readonly store: AccountStore
  readonly access: Access
  /** The operator's name, which no account may have; null: no operator. */
  readonly operator: string | null
  /** Ends the sessions of an account, including their queues. */
  readonly endSessions: (username: string) => void
}

/** Why a command fails, with Mosquitto's error text. */
export class Refusal extends Error {}

/** @returns the `data` of the answer */
type Run = (command: ControlCommand) => unknown

/**
 * The dynamic-security commands used by `accounts/`, with Mosquitto's behaviour. Groups and default access are not
 * supported: everything that no role allows is always denied.
 */
export function controlCommands(options: ControlOptions): ReadonlyMap<string, Run> {
  const { store, access, operator, endSessions } = options
  const account = (username: string): StoredAccount => {
    const found = store.accounts.get(username)
    if (found === undefined || username === operator) throw new Refusal(REFUSALS.noClient)
    return found
  }
  const acls = (rolename: string): readonly Acl[] => {
    const found = store.roles.get(rolename)
    if (found === undefined) throw new Refusal(REFUSALS.noRole)
    return found
  }
  const entry = (username: string) =>
    username === operator ? operatorEntry(username) : entryOf(account(username))
  return new Map<string, Run>([
    ['getClient', (command) => ({ client: entry(text(command, 'username')) })],
    [
      'listClients',
      (command) => {
        const all = new Set([...(operator === null ? [] : [operator]), ...store.accounts.keys()])
        return { totalCount: all.size, clients: part([...all], command).map(entry) }
      },
    ],
    [
      'createClient',
      async (command) => {
        const username = text(command, 'username')
        const created: StoredAccount = {
          username,
          clientId: typeof command.clientid === 'string' ? command.clientid : null,
          password: await hashPassword(text(command, 'password')),
          roles: rolenames(command),
        }
        if (username === operator || store.accounts.has(username)) throw new Refusal(REFUSALS.clientExists)
        created.roles.forEach(acls)
        store.putAccount(username, created)
      },
    ],
    [
      'deleteClient',
      async (command) => {
        const { username } = account(text(command, 'username'))
        store.putAccount(username, null)
        access.disconnect(username)
        endSessions(username)
      },
    ],
    [
      'setClientPassword',
      async (command) => {
        const password = await hashPassword(text(command, 'password'))
        const changed = { ...account(text(command, 'username')), password }
        store.putAccount(changed.username, changed)
        access.disconnect(changed.username)
      },
    ],
    [
      'getRole',
      (command) => {
        const rolename = text(command, 'rolename')
        return { role: { rolename, acls: acls(rolename) } }
      },
    ],
    [
      'listRoles',
      (command) => {
        const names = part([...store.roles.keys()], command)
        const roles = names.map((rolename) => ({ rolename, acls: acls(rolename) }))
        return { totalCount: store.roles.size, roles }
      },
    ],
    [
      'createRole',
      (command) => {
        const rolename = text(command, 'rolename')
        if (store.roles.has(rolename)) throw new Refusal(REFUSALS.roleExists)
        store.putRole(rolename, readAcls(command))
      },
    ],
    [
      'modifyRole',
      (command) => {
        const rolename = text(command, 'rolename')
        acls(rolename)
        store.putRole(rolename, readAcls(command))
        for (const { username, roles } of store.accounts.values()) {
          if (roles.includes(rolename)) access.disconnect(username)
        }
      },
    ],
    [
      'deleteRole',
      (command) => {
        const rolename = text(command, 'rolename')
        acls(rolename)
        // Otherwise a new role with this name would give its rights to the accounts that had the older one.
        const concerned = store.removeRole(rolename)
        for (const { username } of concerned) access.disconnect(username)
      },
    ],
  ])
}

function entryOf({ username, clientId, roles }: StoredAccount) {
  return {
    username,
    ...(clientId !== null && { clientid: clientId }),
    roles: roles.map((rolename) => ({ rolename })),
  }
}

function operatorEntry(username: string) {
  return { username, roles: [{ rolename: OPERATOR }] }
}

function text(command: ControlCommand, field: string): string {
  const value = command[field]
  if (typeof value === 'string' && value !== '') return value
  throw new Refusal(`Invalid/missing ${field}`)
}

function rolenames({ roles }: ControlCommand): readonly string[] {
  if (roles === undefined) return []
  const isList = Array.isArray(roles) && roles.every((role) => typeof role?.rolename === 'string')
  if (!isList) throw new Refusal('Invalid roles')
  return (roles as { rolename: string }[]).map(({ rolename }) => rolename)
}

function readAcls({ acls }: ControlCommand): readonly Acl[] {
  const isList =
    Array.isArray(acls) &&
    acls.every(
      (acl) =>
        ACL_TYPES.includes(acl?.acltype) && typeof acl.topic === 'string' && typeof acl.allow === 'boolean',
    )
  if (!isList) throw new Refusal('Invalid/missing acls')
  return (acls as Acl[]).map(({ acltype, topic, allow }) => ({ acltype, topic, allow }))
}

/** A `count` of -1, or no `count`, means all. */
function part<T>(all: readonly T[], { count = -1, offset = 0 }: ControlCommand): readonly T[] {
  const start = Number(offset)
  return Number(count) < 0 ? all.slice(start) : all.slice(start, start + Number(count))
}
