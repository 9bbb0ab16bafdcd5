/**
 * The properties of messages on their way through aedes, which sees 3.1.1 only. It hands on the very buffer
 * of a payload, to subscribers, into the store of retained messages and into the queues of sessions, and at
 * the end to the stream of the subscriber: that buffer is the key, and the properties live as long as it
 * does.
 */
export class PropertyCarrier {
  readonly #byPayload = new WeakMap<object, Buffer>()
  /** Telemetry seldom has properties; a look-up for each part of each packet would be paid by all. */
  #isInUse = false

  set(payload: object, properties: Buffer): void {
    this.#byPayload.set(payload, properties)
    this.#isInUse = true
  }

  /** @param chunk anything written to a subscriber */
  of(chunk: Uint8Array | string): Buffer | null {
    if (!this.#isInUse || typeof chunk === 'string') return null
    return this.#byPayload.get(chunk) ?? null
  }
}
