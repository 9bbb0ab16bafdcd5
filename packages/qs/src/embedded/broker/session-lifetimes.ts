import type { Aedes, Client } from 'aedes'
import { Mqtt5Connection } from './mqtt5/connection.ts'

/** The parts of aedes that it does not declare. */
interface BrokerParts {
  readonly clients: Readonly<Record<string, Client | undefined>>
  readonly persistence: {
    cleanSubscriptions(session: { readonly id: string }): Promise<unknown>
    cleanIncoming(session: { readonly id: string }): Promise<unknown>
  }
}

interface Ending {
  readonly timer: NodeJS.Timeout
  /** It has no right to be taken up again, the timer is only not yet there. */
  readonly isOver: boolean
}

/** The most that a timer can do, 24 days. Sessions do not outlive the process anyway. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Session expiry of MQTT 5 [3.1.2.11.2], and the clean start of a session that is to be durable: aedes knows
 * only sessions that end with their connection and sessions that never end. Those of 3.1.1 clients stay so.
 */
export class SessionLifetimes {
  readonly #onEnd: (clientId: string) => void
  readonly #endings = new Map<string, Ending>()
  #broker!: BrokerParts

  /** @param onEnd throws away what other parts keep of a session */
  constructor(onEnd: (clientId: string) => void) {
    this.#onEnd = onEnd
  }

  attach(broker: Aedes): void {
    this.#broker = broker as unknown as BrokerParts
    broker.on('client', ({ id }) => this.#cancel(id))
    broker.on('clientDisconnect', (client) => this.#disconnected(client))
    broker.on('closed', () => {
      for (const id of this.#endings.keys()) this.#cancel(id)
    })
  }

  /**
   * After the login of a client and before aedes looks for its session. An older connection of it ends here
   * [MQTT-3.1.4-3]: aedes would end it after that look, when its session may be over with it.
   */
  async begin(client: Client): Promise<void> {
    const { id, conn, clean } = client
    await new Promise<void>((resolve) => {
      const older = this.#broker.clients[id]
      if (older === undefined) resolve()
      else older.close(resolve)
    })
    const isCleanStart = conn instanceof Mqtt5Connection && conn.session?.isCleanStart === true
    if (clean || isCleanStart || this.#endings.get(id)?.isOver) await this.end(id)
  }

  #disconnected({ id, conn, clean }: Client): void {
    if (clean || !(conn instanceof Mqtt5Connection)) return
    const expirySeconds = conn.session?.expirySeconds ?? 0
    const delayMs = expirySeconds * 1_000
    if (delayMs > MAX_TIMER_MS) return
    const timer = setTimeout(() => this.end(id), delayMs).unref()
    this.#endings.set(id, { timer, isOver: expirySeconds === 0 })
  }

  #cancel(clientId: string): void {
    clearTimeout(this.#endings.get(clientId)?.timer)
    this.#endings.delete(clientId)
  }

  /** Ends a session now, with what is queued in it. */
  async end(clientId: string): Promise<void> {
    this.#cancel(clientId)
    const { persistence } = this.#broker
    await persistence.cleanSubscriptions({ id: clientId })
    await persistence.cleanIncoming({ id: clientId })
    this.#onEnd(clientId)
  }
}
