import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Aedes, Client, Subscription } from 'aedes'
import type { Acl } from '../../accounts/control-protocol.ts'
import type { AccountStore, StoredAccount } from './account-store.ts'
import { type Action, isAllowed } from './acl.ts'
import { addressOf } from './client-complaints.ts'
import { type Credentials, matches } from './credentials.ts'
import type { LoginQueue } from './login-queue.ts'
import { isSharedSubscription } from './mqtt5/topics.ts'
import { isPassword, NOBODY } from './password-hash.ts'

/** Closes a connection whose account has changed since the login. */
export class AccountChanged extends Error {
  constructor() {
    super('its account was changed or removed')
    this.name = 'AccountChanged'
  }
}

interface Login {
  readonly username: string | undefined
  readonly password: Buffer | undefined
  /** Queue for the password check. */
  readonly queue: LoginQueue
}

/** Undeclared parts of aedes. */
interface BrokerParts {
  readonly clients: Readonly<Record<string, Client>>
  readonly persistence: {
    addSubscriptions(client: Client, subscriptions: readonly Subscription[]): Promise<unknown>
  }
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
  readonly #accounts = new WeakMap<Client, StoredAccount>()
  readonly #operators = new WeakSet<Client>()
  readonly #key = randomBytes(32)
  readonly #rightPasswords = new WeakMap<StoredAccount, Buffer>()
  #clients: Readonly<Record<string, Client>> = {}

  constructor(operator: Credentials | null, store: AccountStore) {
    this.#operator = operator
    this.#store = store
  }

  attach(broker: Aedes): void {
    const { persistence, clients } = broker as unknown as BrokerParts
    this.#clients = clients
    // The account changed after the login and before `disconnect` could find this client.
    broker.on('client', (client) => {
      const account = this.#accounts.get(client)
      if (account !== undefined && !this.#isCurrent(account)) client.emit('error', new AccountChanged())
    })
    // aedes stores all topic filters of a SUBSCRIBE in a durable session as soon as one is granted.
    const add = persistence.addSubscriptions.bind(persistence)
    persistence.addSubscriptions = (client, subscriptions) =>
      add(
        client,
        subscriptions.filter(({ topic }) => this.maySubscribe(client, topic)),
      )
  }

  /** Checks user, password and, if the account is bound to one, client id. @throws TooManyLogins */
  async admit(client: Client, { username, password, queue }: Login): Promise<boolean> {
    if (this.#operator === null || matches(this.#operator, username, password)) {
      this.#operators.add(client)
      return true
    }
    const account = this.#store.accounts.get(username ?? '')
    const isRight = await this.#isRight(account, password ?? Buffer.alloc(0), (work) =>
      queue.check(
        {
          address: addressOf(client),
          username: username ?? '',
          clientId: client.id,
          isKnown: account !== undefined,
        },
        work,
      ),
    )
    if (account === undefined || !isRight) return false
    if (account.clientId !== null && account.clientId !== client.id) return false
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
  accountOf(client: Client): string {
    return this.#accounts.get(client)?.username ?? ''
  }

  /** @param client null: the client of an earlier process that left a will */
  mayPublish(client: Client | null, topic: string): boolean {
    return !topic.startsWith('$SYS/') && this.#may(client, 'publishClientSend', topic)
  }

  /** Refuses shared subscriptions, which aedes would treat as ordinary topics. */
  maySubscribe(client: Client, filter: string): boolean {
    return !isSharedSubscription(filter) && this.#may(client, 'subscribe', filter)
  }

  mayReceive(client: Client, topic: string): boolean {
    return this.#may(client, 'publishClientReceive', topic)
  }

  /** Closes the connections of an account at once. */
  disconnect(username: string): void {
    for (const client of Object.values(this.#clients)) {
      if (this.#accounts.get(client)?.username === username) client.emit('error', new AccountChanged())
    }
  }

  #may(client: Client | null, action: Action, topic: string): boolean {
    if (client === null) return false
    if (this.#operators.has(client)) return true
    const account = this.#accounts.get(client)
    if (account === undefined || !this.#isCurrent(account)) return false
    return isAllowed(this.#aclsOf(account), action, topic)
  }

  #isCurrent(account: StoredAccount): boolean {
    return this.#store.accounts.get(account.username) === account
  }

  #aclsOf({ roles }: StoredAccount): readonly Acl[] {
    return roles.flatMap((role) => this.#store.roles.get(role) ?? [])
  }
}
