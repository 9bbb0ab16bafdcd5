import type { Aedes, Client } from 'aedes'
import { Mqtt5Connection } from './mqtt5/connection.ts'
import type { PropertyCarrier } from './mqtt5/property-carrier.ts'

interface Waiting {
  readonly timer: NodeJS.Timeout
  readonly publish: () => void
  readonly drop: () => void
}

/** The maximum of a timer, 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Will Delay Interval of MQTT 5 [3.1.3.2.2]: the will is published after the delay or at the end of the session,
 * whichever comes first, and not at all if the client reconnects before [MQTT-3.1.3-9].
 *
 * When a connection closes without DISCONNECT, aedes calls `authorizePublish` for the will. This class delays the
 * answer, and an error drops the will.
 */
export class WillDelays {
  readonly #carrier: PropertyCarrier
  readonly #waiting = new Map<string, Waiting>()

  constructor(carrier: PropertyCarrier) {
    this.#carrier = carrier
  }

  attach(broker: Aedes): void {
    broker.on('client', ({ id }) => this.#take(id)?.drop())
    broker.on('closed', () => {
      for (const id of this.#waiting.keys()) this.#take(id)?.drop()
    })
  }

  before(authorize: Aedes['authorizePublish']): Aedes['authorizePublish'] {
    return (client, packet, done) => {
      const isWill = client !== null && packet === (client as Client & { readonly will?: object }).will
      if (!isWill) return authorize(client, packet, done)
      const properties = client.conn instanceof Mqtt5Connection ? client.conn.session?.will?.properties : null
      const publish = () => {
        // The lifetime of a will starts here [3.1.3.2.4].
        if (properties) this.#carrier.set(packet.payload as Buffer, properties)
        authorize(client, packet, done)
      }
      const delayMs = delayOf(client)
      if (delayMs === 0) return publish()
      const timer = setTimeout(() => this.forget(client.id), Math.min(delayMs, MAX_TIMER_MS)).unref()
      this.#take(client.id)?.drop()
      const drop = () => done(new Error('the client is back'))
      this.#waiting.set(client.id, { timer, publish, drop })
    }
  }

  /** The session has ended, or the delay has passed. */
  forget(clientId: string): void {
    this.#take(clientId)?.publish()
  }

  #take(clientId: string): Waiting | undefined {
    const waiting = this.#waiting.get(clientId)
    clearTimeout(waiting?.timer)
    this.#waiting.delete(clientId)
    return waiting
  }
}

/** The delay ends with the session: it is 0 for a session that ends with its connection. */
function delayOf({ clean, conn }: Client): number {
  if (clean || !(conn instanceof Mqtt5Connection) || conn.session === null) return 0
  const { will, expirySeconds } = conn.session
  return Math.min(will?.delaySeconds ?? 0, expirySeconds) * 1_000
}
