import type { Duplex } from 'node:stream'
import type { Aedes, Client } from 'aedes'
import { Outlet, type OutletOptions } from './outlet.ts'
import type { SessionStore } from './session-store.ts'

/** Closes a connection whose client does not read. */
export class DeafClient extends Error {
  constructor() {
    super('it did not read its messages')
    this.name = 'DeafClient'
  }
}

/** A client disconnected because it did not read. */
export interface DeafRecord {
  readonly client: string
  readonly atMs: number
  /** QoS 0 messages that it missed. */
  readonly dropped: number
}

export interface OutletsOptions {
  readonly store: SessionStore
  readonly ingesterId: string | undefined
  readonly mayReceive: OutletOptions['mayReceive']
  readonly hasExpired: OutletOptions['hasExpired']
  readonly onDeaf: (client: Client) => void
}

const LOOK_MS = 1_000

/** The outlets of all clients. Disconnects deaf clients. */
export class Outlets {
  readonly #options: OutletsOptions
  readonly #outlets = new Map<string, Outlet>()
  readonly #pending = new WeakMap<Client, Outlet>()
  #dropped = 0
  #deaf: DeafRecord | null = null

  constructor(options: OutletsOptions) {
    this.#options = options
    options.store.watch((clientId) => this.#outlets.get(clientId)?.pump())
  }

  /** QoS 0 messages dropped because their client did not read. */
  get dropped(): number {
    return this.#dropped
  }

  /** The latest deaf client. */
  get deaf(): DeafRecord | null {
    return this.#deaf
  }

  attach(broker: Aedes): void {
    broker.on('clientReady', (client) => {
      const outlet = this.#pending.get(client)
      if (outlet === undefined || client.closed) return
      this.#outlets.set(client.id, outlet)
      outlet.start()
    })
    broker.on('clientDisconnect', (client) => {
      if (this.#outlets.get(client.id)?.client === client) this.#outlets.delete(client.id)
      if (client.clean) this.#options.store.forget(client.id)
    })
    const timer = setInterval(() => this.#look(performance.now()), LOOK_MS).unref()
    broker.on('closed', () => clearInterval(timer))
  }

  /** @param network the network socket of the client */
  add(client: Client, network: Duplex): void {
    const outlet = new Outlet(client, { ...this.#options, network, onDrop: () => this.#dropped++ })
    outlet.attach()
    this.#pending.set(client, outlet)
  }

  #look(nowMs: number): void {
    for (const outlet of this.#outlets.values()) {
      // The ingester of this process pauses reading on purpose.
      if (outlet.isInProcess || !outlet.isDeaf(nowMs)) continue
      const { client, dropped } = outlet
      this.#deaf = { client: client.id, atMs: nowMs, dropped }
      this.#options.onDeaf(client)
      client.emit('error', new DeafClient())
    }
  }
}
