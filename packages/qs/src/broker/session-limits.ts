export interface SessionLimitsOptions {
  /** Limit of the queue of one session. */
  readonly maxBytes: number
  /** Limit of all sessions together. */
  readonly maxAllBytes: number
  /** Called for each dropped message. */
  readonly onFull: (clientId: string) => void
}

/**
 * What all sessions keep for their clients. A session above its limit gets no more messages, as with Mosquitto's
 * `max_queued_messages`: without a limit, a session that never returns takes the memory of the whole machine.
 */
export class SessionLimits {
  readonly #options: SessionLimitsOptions
  #bytes = 0
  #waiting = 0
  #dropped = 0

  constructor(options: SessionLimitsOptions) {
    this.#options = options
  }

  /** Messages queued for a session or awaiting its PUBACK. */
  get waiting(): number {
    return this.#waiting
  }

  /** Messages dropped because a queue was full or a client did not read. */
  get dropped(): number {
    return this.#dropped
  }

  /** @param bytes in the queue of the session */
  hasRoom(bytes: number): boolean {
    return bytes < this.#options.maxBytes && this.#bytes < this.#options.maxAllBytes
  }

  count(bytes: number, messages: number): void {
    this.#bytes += bytes
    this.#waiting += messages
  }

  drop(clientId: string): void {
    this.#dropped++
    this.#options.onFull(clientId)
  }

  /** A QoS 0 message for a client that does not read. */
  dropUnread(): void {
    this.#dropped++
  }
}
