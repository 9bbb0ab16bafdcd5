import { MESSAGE_EXPIRY, type MessageProperties } from './publish-properties.ts'

/** Unused bytes of a read buffer that a payload may keep in memory. */
const MAX_PINNED_BYTES = 1024

interface Carried {
  readonly forwarded: Buffer
  /** Infinity: never. */
  readonly expiresAtMs: number
}

/**
 * Carries message properties through aedes, which knows only 3.1.1. aedes passes the same payload buffer to
 * subscribers, the store of retained messages and session queues, and finally to the stream of the subscriber: that
 * buffer is the key, and the properties live as long as it does.
 *
 * The lifetime of a message starts when the broker gets it [3.3.2.3.3].
 */
export class PropertyCarrier {
  readonly #byPayload = new WeakMap<object, Carried>()
  readonly #nowMs: () => number
  /** Telemetry rarely has properties, so look-ups are skipped until the first one. */
  #isInUse = false

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  set(payload: object, { forwarded, expirySeconds }: MessageProperties): void {
    const expiresAtMs = this.#nowMs() + (expirySeconds ?? Number.POSITIVE_INFINITY) * 1_000
    this.#byPayload.set(payload, { forwarded, expiresAtMs })
    this.#isInUse = true
  }

  /**
   * A copy with the same properties, for storage. A payload is a slice of a 64 KiB read buffer, and would keep all of
   * it in memory.
   */
  detached(payload: Buffer): Buffer {
    if (payload.buffer.byteLength <= payload.length + MAX_PINNED_BYTES) return payload
    // A pooled buffer would keep its pool in memory.
    const copy = Buffer.allocUnsafeSlow(payload.length)
    payload.copy(copy)
    const carried = this.#find(payload)
    if (carried !== undefined) this.#byPayload.set(copy, carried)
    return copy
  }

  /**
   * The current properties, with the remaining expiry interval [MQTT-3.3.2-6].
   *
   * @param chunk anything written to a subscriber
   */
  of(chunk: Uint8Array | string): Buffer | null {
    const carried = this.#find(chunk)
    if (carried === undefined) return null
    const { forwarded, expiresAtMs } = carried
    if (expiresAtMs === Number.POSITIVE_INFINITY) return forwarded
    // A message is sent again after a reconnect even when it has expired meanwhile [MQTT-4.4.0-1].
    const leftSeconds = Math.max(0, Math.ceil((expiresAtMs - this.#nowMs()) / 1_000))
    const expiry = Buffer.of(MESSAGE_EXPIRY, 0, 0, 0, 0)
    expiry.writeUInt32BE(leftSeconds, 1)
    return Buffer.concat([expiry, forwarded])
  }

  /** Whether delivery of the message must no longer start [MQTT-3.3.2-5]. */
  hasExpired(payload: Uint8Array | string): boolean {
    const carried = this.#find(payload)
    return carried !== undefined && this.#nowMs() >= carried.expiresAtMs
  }

  #find(payload: Uint8Array | string): Carried | undefined {
    return this.#isInUse && typeof payload !== 'string' ? this.#byPayload.get(payload) : undefined
  }
}
