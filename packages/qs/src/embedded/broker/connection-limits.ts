import { AddressCounts } from '../../endpoints/address-counts.ts'

export interface ConnectionLimitsOptions {
  readonly maxConnections: number
  readonly maxPerAddress: number
}

/** A refused connection. */
export interface RefusedRecord {
  readonly address: string
  readonly atMs: number
  /** The setting with the limit. */
  readonly setting: 'MQTT_MAX_CONNECTIONS' | 'MQTT_MAX_CONNECTIONS_PER_ADDRESS'
}

/** Counts connections in total and per address, before and after the login. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions
  readonly #open = new AddressCounts()
  #refused = 0
  #latest: RefusedRecord | null = null

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options
  }

  /** Connections refused since the start. */
  get refused(): number {
    return this.#refused
  }

  get latest(): RefusedRecord | null {
    return this.#latest
  }

  /** @returns null, and the connection counts until `release`; or why it is refused */
  admit(address: string): RefusedRecord | null {
    const { maxConnections, maxPerAddress } = this.#options
    const setting =
      this.#open.of(address) >= maxPerAddress
        ? 'MQTT_MAX_CONNECTIONS_PER_ADDRESS'
        : this.#open.total >= maxConnections
          ? 'MQTT_MAX_CONNECTIONS'
          : null
    if (setting === null) {
      this.#open.add(address)
      return null
    }
    this.#refused++
    this.#latest = { address, atMs: performance.now(), setting }
    return this.#latest
  }

  release(address: string): void {
    this.#open.remove(address)
  }
}
