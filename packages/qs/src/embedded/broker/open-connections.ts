import type { Client, Connections } from '../../broker/broker-parts.ts'
import type { ClientConnection } from '../../broker/client-connection.ts'
import type { Peer } from '../../broker/rules.ts'

export interface OpenConnectionsOptions {
  /** A client has logged in. */
  readonly onOpened: (peer: Peer) => void
  /** A connection has ended, logged in or not. @param error null: in the ordinary way */
  readonly onEnded: (peer: Peer, error: Error | null) => void
}

/** All connections of the broker: those logged in by client id, and all until their network has closed. */
export class OpenConnections implements Connections {
  readonly #options: OpenConnectionsOptions
  readonly #all = new Set<ClientConnection>()
  readonly #byClientId = new Map<string, Client>()
  #onEmpty: (() => void) | null = null

  constructor(options: OpenConnectionsOptions) {
    this.#options = options
  }

  add(connection: ClientConnection): void {
    this.#all.add(connection)
  }

  /** Its network has closed. */
  remove(connection: ClientConnection): void {
    this.#all.delete(connection)
    if (this.#all.size === 0) this.#onEmpty?.()
  }

  get(clientId: string): Client | undefined {
    return this.#byClientId.get(clientId)
  }

  opened(connection: Client): void {
    this.#byClientId.set(connection.clientId, connection)
    this.#options.onOpened(connection)
  }

  ended(connection: Client, error: Error | null): void {
    if (this.#byClientId.get(connection.clientId) === connection) this.#byClientId.delete(connection.clientId)
    this.#options.onEnded(connection, error)
  }

  look(nowMs: number): void {
    for (const connection of this.#all) connection.look(nowMs)
  }

  closeAll(reason: Error): void {
    for (const connection of this.#all) connection.close(reason)
  }

  async allGone(): Promise<void> {
    if (this.#all.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve))
  }
}
