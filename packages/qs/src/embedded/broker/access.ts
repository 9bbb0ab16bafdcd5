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

/** Ends a connection whose account is no longer what it was at the login. */
export class AccountChanged extends Error {
  constructor() {
    super('its account was changed or removed')
    this.name = 'AccountChanged'
  }
}

interface Login {
  readonly username: string | undefined
  readonly password: Buffer | undefined
  /** Where the check of a password waits for its turn. */
  readonly queue: LoginQueue
}

/** The parts of aedes that it does not declare. */
interface BrokerParts {
  readonly clients: Readonly<Record<string, Client>>
  readonly persistence: {
    addSubscriptions(client: Client, subscriptions: readonly Subscription[]): Promise<unknown>
  }
}

/**
 * Who is connected, and what they may do. With credentials, their owner is the operator, who may do everything,
 * and everybody else has an account of the store with roles; without them (on loopback only) everybody is like
 * the operator.
 *
 * What a client may do is looked up each time, by the account it logged in with: an account that was removed
 * or got another password has no rights any more, also on a connection that is only just being closed.
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
    // Changed between login and here: `disconnect` did not find it.
    broker.on('client', (client) => {
      const account = this.#accounts.get(client)
      if (account !== undefined && !this.#isCurrent(account)) client.emit('error', new AccountChanged())
    })
    // A durable session keeps the topic filters of a whole SUBSCRIBE as soon as one of them is granted.
    const add = persistence.addSubscriptions.bind(persistence)
    persistence.addSubscriptions = (client, subscriptions) =>
      add(
        client,
        subscriptions.filter(({ topic }) => this.maySubscribe(client, topic)),
      )
  }

  /** The login: user, password and, where the account is bound to one, client id. @throws TooManyLogins */
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
   * A password that was right once is known by a digest with a key that ends with the process: a fleet that comes back
   * after an outage of the network waits for no scrypt.
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

  /** Of a client that is in. The operator and, without credentials, everybody is ''. */
  accountOf(client: Client): string {
    return this.#accounts.get(client)?.username ?? ''
  }

  /** @param client null: one that an earlier process had, whose will is left */
  mayPublish(client: Client | null, topic: string): boolean {
    return !topic.startsWith('$SYS/') && this.#may(client, 'publishClientSend', topic)
  }

  /** Shared subscriptions are not there: aedes would take one for an ordinary topic. */
  maySubscribe(client: Client, filter: string): boolean {
    return !isSharedSubscription(filter) && this.#may(client, 'subscribe', filter)
  }

  mayReceive(client: Client, topic: string): boolean {
    return this.#may(client, 'publishClientReceive', topic)
  }

  /** Ends the connections of an account, at once. */
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
