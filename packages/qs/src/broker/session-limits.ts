export interface SessionLimitsOptions {
  /** Limit of the queue of one session. */
  readonly maxBytes: number
  /** Limit of all sessions of one account together, below that of all: abandoned ones stop no other account. */
  readonly maxAccountBytes: number
  /** Limit of all sessions together. */
  readonly maxAllBytes: number
  /** Called for each dropped message. */
  readonly onFull: (clientId: string) => void
}

/** Whose queue it is. */
export interface QueueOwner {
  readonly account: string
  readonly isConnected: boolean
}

/**
 * Has room in the queue of a connected client, whatever others keep: what a client that acknowledges has in flight,
 * so queues that nobody empties do not cost it its messages.
 */
const RESERVE_BYTES = 64 * 1024

/**
 * What all sessions keep for their clients. A session above its limit gets no more messages, as with Mosquitto's
 * `max_queued_messages`: without a limit, a session that never returns takes the memory of the whole machine.
 */
export class SessionLimits {
  readonly #options: SessionLimitsOptions
  #bytes = 0
  readonly #bytesOf = new Map<string, number>()
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

  /** @param bytes in the queue @param more of the message to be added */
  hasRoom({ account, isConnected }: QueueOwner, bytes: number, more: number): boolean {
    if (isConnected && bytes + more <= RESERVE_BYTES) return true
    const { maxBytes, maxAccountBytes, maxAllBytes } = this.#options
    const ofAccount = this.#bytesOf.get(account) ?? 0
    return bytes < maxBytes && ofAccount < maxAccountBytes && this.#bytes < maxAllBytes
  }

  count({ account }: QueueOwner, bytes: number, messages: number): void {
    this.#bytes += bytes
    this.#waiting += messages
    const ofAccount = (this.#bytesOf.get(account) ?? 0) + bytes
    if (ofAccount > 0) this.#bytesOf.set(account, ofAccount)
    else this.#bytesOf.delete(account)
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
