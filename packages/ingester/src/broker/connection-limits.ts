export interface ConnectionLimitsOptions {
  readonly maxConnections: number
  readonly maxPerAddress: number
}

/** A connection that was turned away. */
export interface RefusedRecord {
  readonly address: string
  readonly atMs: number
  /** The setting that says how many there may be. */
  readonly setting: 'MQTT_MAX_CONNECTIONS' | 'MQTT_MAX_CONNECTIONS_PER_ADDRESS'
}

/** How many connections there are, in all and from each address, before and after their login. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions
  readonly #byAddress = new Map<string, number>()
  #connections = 0
  #refused = 0
  #latest: RefusedRecord | null = null

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options
  }

  /** Connections turned away since the start. */
  get refused(): number {
    return this.#refused
  }

  get latest(): RefusedRecord | null {
    return this.#latest
  }

  /** @returns null, and the connection counts until `release`; or why it is turned away */
  admit(address: string): RefusedRecord | null {
    const { maxConnections, maxPerAddress } = this.#options
    const ofAddress = this.#byAddress.get(address) ?? 0
    const setting =
      ofAddress >= maxPerAddress
        ? 'MQTT_MAX_CONNECTIONS_PER_ADDRESS'
        : this.#connections >= maxConnections
          ? 'MQTT_MAX_CONNECTIONS'
          : null
    if (setting === null) {
      this.#connections++
      this.#byAddress.set(address, ofAddress + 1)
      return null
    }
    this.#refused++
    this.#latest = { address, atMs: performance.now(), setting }
    return this.#latest
  }

  release(address: string): void {
    this.#connections--
    const left = (this.#byAddress.get(address) ?? 0) - 1
    if (left > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
  }
}
