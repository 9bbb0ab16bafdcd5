import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Acl } from '../../accounts/control-protocol.ts'
import type { Peer } from '../../broker/rules.ts'
import { ProtocolFault, REASON } from '../../mqtt/reasons.ts'
import type { AccountStore, StoredAccount } from './account-store.ts'
import { type Action, isAllowed } from './acl.ts'
import { type Credentials, matches } from './credentials.ts'
import type { LoginQueue } from './login-queue.ts'
import { isPassword, NOBODY } from './password-hash.ts'

/** Closes a connection whose account has changed since the login. */
export class AccountChanged extends ProtocolFault {
  constructor() {
    super(REASON.administrativeAction, 'its account was changed or removed')
    this.name = 'AccountChanged'
  }
}

interface Login {
  readonly username: string | undefined
  readonly password: Buffer | undefined
  /** Queue for the password check. */
  readonly queue: LoginQueue
}

/**
 * Connected clients and their rights. With credentials, their owner is the operator, who may do everything, and all
 * others have an account with roles in the store. Without credentials (on loopback only) everyone is operator.
 *
 * Rights are looked up for every action, by the account of the login: a removed account, or one with a new password,
 * has no rights, even on a connection that is still closing.
 */
export class Access {
  readonly #operator: Credentials | null
  readonly #store: AccountStore
  readonly #accounts = new WeakMap<Peer, StoredAccount>()
  readonly #operators = new WeakSet<Peer>()
  readonly #key = randomBytes(32)
  readonly #rightPasswords = new WeakMap<StoredAccount, Buffer>()
  readonly #peers = new Set<Peer>()

  constructor(operator: Credentials | null, store: AccountStore) {
    this.#operator = operator
    this.#store = store
  }

  /** Changes whenever an account or a role changes. */
  get revision(): unknown {
    return this.#store.revision
  }

  /** A client that has logged in is connected, until `left`. */
  entered(peer: Peer): void {
    this.#peers.add(peer)
    // Its account changed after the login and before `disconnect` could find it.
    const account = this.#accounts.get(peer)
    if (account !== undefined && !this.#isCurrent(account)) peer.close(new AccountChanged())
  }

  left(peer: Peer): void {
    this.#peers.delete(peer)
  }

  /**
   * Checks user, password and client id: that of the account, if it is bound to one, and otherwise none to which
   * another account is bound. The operator may use any.
   *
   * @throws TooManyLogins
   */
  async admit(client: Peer, { username, password, queue }: Login): Promise<boolean> {
    if (this.#operator === null || matches(this.#operator, username, password)) {
      this.#operators.add(client)
      return true
    }
    const account = this.#store.accounts.get(username ?? '')
    const isRight = await this.#isRight(account, password ?? Buffer.alloc(0), (work) =>
      queue.check(
        {
          address: client.address,
          username: username ?? '',
          clientId: client.clientId,
          isKnown: account !== undefined,
        },
        work,
      ),
    )
    if (account === undefined || !isRight) return false
    if (account.clientId === null ? this.#isBound(client.clientId) : account.clientId !== client.clientId)
      return false
    this.#accounts.set(client, account)
    return this.#isCurrent(account)
  }

  /**
   * Remembers a correct password as a digest with a per-process key, so that a fleet that reconnects after a network
   * outage need not wait for scrypt.
   */
  async #isRight(
    account: StoredAccount | undefined,
    password: Buffer,
    inTurn: (work: () => Promise<boolean>) => Promise<boolean>,
  ): Promise<boolean> {
    const digest = createHmac('sha256', this.#key).update(password).digest()
    const known = account && this.#rightPasswords.get(account)
    if (known !== undefined && timingSafeEqual(known, digest)) return true
    const isRight = await inTurn(() => isPassword(account?.password ?? NOBODY, password))
    if (isRight && account !== undefined) this.#rightPasswords.set(account, digest)
    return isRight
  }

  /** Account of an authenticated client; '' for the operator and, without credentials, for everyone. */
  accountOf(client: Peer): string {
    return this.#accounts.get(client)?.username ?? ''
  }

  /** Whether a session of another account with its client id has to give way: of a bound account, or for the operator. */
  ownsId(client: Peer): boolean {
    return this.#operators.has(client) || this.#accounts.get(client)?.clientId === client.clientId
  }

  mayPublish(client: Peer, topic: string): boolean {
    return !topic.startsWith('$SYS/') && this.#may(client, 'publishClientSend', topic)
  }

  maySubscribe(client: Peer, filter: string): boolean {
    return this.#may(client, 'subscribe', filter)
  }

  mayReceive(client: Peer, topic: string): boolean {
    return this.#may(client, 'publishClientReceive', topic)
  }

  /** Closes the connections of an account at once. */
  disconnect(username: string): void {
    for (const peer of this.#peers) {
      if (this.#accounts.get(peer)?.username === username) peer.close(new AccountChanged())
    }
  }

  #may(client: Peer, action: Action, topic: string): boolean {
    if (this.#operators.has(client)) return true
    const account = this.#accounts.get(client)
    if (account === undefined || !this.#isCurrent(account)) return false
    return isAllowed(this.#aclsOf(account), action, topic)
  }

  #isBound(clientId: string): boolean {
    for (const account of this.#store.accounts.values()) if (account.clientId === clientId) return true
    return false
  }

  #isCurrent(account: StoredAccount): boolean {
    return this.#store.accounts.get(account.username) === account
  }

  #aclsOf({ roles }: StoredAccount): readonly Acl[] {
    return roles.flatMap((role) => this.#store.roles.get(role) ?? [])
  }
}
