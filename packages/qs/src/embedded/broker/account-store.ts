import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Acl } from '../../accounts/control-protocol.ts'
import { QsError } from '../../errors/qs-error.ts'
import { reasonOf } from '../../errors/reason-of.ts'
import type { PasswordHash } from './password-hash.ts'

export interface StoredAccount {
  readonly username: string
  /** The only client id allowed; null: any. */
  readonly clientId: string | null
  readonly password: PasswordHash
  readonly roles: readonly string[]
}

interface Content {
  readonly version: 1
  readonly accounts: readonly StoredAccount[]
  readonly roles: readonly { readonly rolename: string; readonly acls: readonly Acl[] }[]
}

type Maps = {
  readonly accounts: ReadonlyMap<string, StoredAccount>
  readonly roles: ReadonlyMap<string, readonly Acl[]>
}

/**
 * The accounts of the embedded broker, except the operator's, and their roles, in one small file. A change is on disk
 * before it takes effect, and replaces the file atomically.
 */
export class AccountStore {
  readonly #file: string | null
  #maps: Maps

  /**
   * @param file null: in memory only
   * @throws Error if the file cannot be read; without it every device would be locked out
   */
  constructor(file: string | null) {
    this.#file = file
    this.#maps = file === null ? EMPTY : read(file)
  }

  /** Changes with each change of an account or a role. */
  get revision(): unknown {
    return this.#maps
  }

  get accounts(): ReadonlyMap<string, StoredAccount> {
    return this.#maps.accounts
  }

  get roles(): ReadonlyMap<string, readonly Acl[]> {
    return this.#maps.roles
  }

  /** @param account null deletes the account */
  putAccount(username: string, account: StoredAccount | null): void {
    this.#save({ ...this.#maps, accounts: put(this.accounts, username, account) })
  }

  /** Also from the accounts that have it. @returns those accounts, as they are now */
  removeRole(rolename: string): readonly StoredAccount[] {
    const concerned = [...this.accounts.values()]
      .filter(({ roles }) => roles.includes(rolename))
      .map((account) => ({ ...account, roles: account.roles.filter((each) => each !== rolename) }))
    const accounts = new Map([
      ...this.accounts,
      ...concerned.map((account) => [account.username, account] as const),
    ])
    this.#save({ accounts, roles: put(this.roles, rolename, null) })
    return concerned
  }

  putRole(rolename: string, acls: readonly Acl[]): void {
    this.#save({ ...this.#maps, roles: put(this.roles, rolename, acls) })
  }

  #save(maps: Maps): void {
    if (this.#file !== null) write(this.#file, maps)
    this.#maps = maps
  }
}

const EMPTY: Maps = { accounts: new Map(), roles: new Map() }

function put<T>(map: ReadonlyMap<string, T>, key: string, value: T | null): ReadonlyMap<string, T> {
  const changed = new Map(map)
  if (value === null) changed.delete(key)
  else changed.set(key, value)
  return changed
}

function read(file: string): Maps {
  try {
    const { accounts, roles } = JSON.parse(readFileSync(file, 'utf8')) as Content
    return {
      accounts: new Map(accounts.map((account) => [account.username, account])),
      roles: new Map(roles.map(({ rolename, acls }) => [rolename, acls])),
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY
    const problem = `${file}, which contains the device accounts, cannot be read: ${reasonOf(error)}`
    throw new QsError('ACCOUNTS_FILE', problem, { cause: error })
  }
}

function write(file: string, { accounts, roles }: Maps): void {
  const content: Content = {
    version: 1,
    accounts: [...accounts.values()],
    roles: [...roles].map(([rolename, acls]) => ({ rolename, acls })),
  }
  const next = `${file}.new`
  // A file left by a crash may have another mode.
  rmSync(next, { force: true })
  writeFileSync(next, `${JSON.stringify(content, null, 1)}\n`, { mode: 0o600, flag: 'wx', flush: true })
  renameSync(next, file)
  const directory = openSync(dirname(file), 'r')
  fsyncSync(directory)
  closeSync(directory)
}
