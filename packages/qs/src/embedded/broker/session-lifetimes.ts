import type { Aedes, Client } from 'aedes'
import { Mqtt5Connection } from './mqtt5/connection.ts'

/** Undeclared parts of aedes. */
interface BrokerParts {
  readonly clients: Readonly<Record<string, Client | undefined>>
  readonly persistence: {
    cleanSubscriptions(session: { readonly id: string }): Promise<unknown>
    cleanIncoming(session: { readonly id: string }): Promise<unknown>
  }
}

interface Ending {
  readonly timer: NodeJS.Timeout
  /** The session must not be resumed, even though its timer has not fired yet. */
  readonly isOver: boolean
}

/** The maximum of a timer, 24 days. Sessions do not outlive the process anyway. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Session expiry of MQTT 5 [3.1.2.11.2], and clean start of a durable session: aedes supports only sessions that end
 * with their connection and sessions that never end. Sessions of 3.1.1 clients are unchanged.
 */
export class SessionLifetimes {
  readonly #onEnd: (clientId: string) => void
  readonly #endings = new Map<string, Ending>()
  #broker!: BrokerParts

  /** @param onEnd discards what other parts store for a session */
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
   * Call it after the login of a client and before aedes looks up its session. It closes an older connection of the
   * client [MQTT-3.1.4-3]: aedes would do so after the look-up, and the session may end with that connection.
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

  /** Ends a session now, including its queue. */
  async end(clientId: string): Promise<void> {
    this.#cancel(clientId)
    const { persistence } = this.#broker
    await persistence.cleanSubscriptions({ id: clientId })
    await persistence.cleanIncoming({ id: clientId })
    this.#onEnd(clientId)
  }
}
