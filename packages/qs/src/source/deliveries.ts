import type { Instant } from '@qs-telemetry/protocol'
import type { Delivery } from '../pipeline/delivery.ts'
import { withResolvers } from '../pipeline/promises.ts'
import type { Received } from './inbound-messages.ts'
import type { Unanswered } from './window.ts'

export interface DeliveriesOptions {
  /** Unsettled deliveries at which reading pauses. It resumes at half. */
  readonly highWatermark: { readonly messages: number; readonly bytes: number }
  readonly onDelivery: (delivery: Delivery) => void
}

/** The connection that is read. */
export interface Reading {
  pause(): void
  resume(): void
}

/**
 * Hands on each received message as a delivery, and answers it when it is settled.
 *
 * Memory is bounded by the watermarks, not by the broker's window, which brokers overshoot: at the high watermark of
 * unsettled messages or bytes the connection is paused, and only the rest of the current read can come on top.
 */
export class Deliveries {
  readonly #options: DeliveriesOptions
  #reading: Reading | null = null
  #isPaused = false
  #messages = 0
  #bytes = 0
  #onIdle: (() => void) | null = null
  #onLow: (() => void) | null = null

  constructor(options: DeliveriesOptions) {
    this.#options = options
  }

  /** Unsettled deliveries of this connection and of earlier ones. */
  get messages(): number {
    return this.#messages
  }

  /** Their payload bytes. */
  get bytes(): number {
    return this.#bytes
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** At most half of the high watermark is unsettled. */
  get isLow(): boolean {
    const { messages, bytes } = this.#options.highWatermark
    return this.#messages * 2 <= messages && this.#bytes * 2 <= bytes
  }

  /** From now on reading may pause; not before SUBACK, which could not be read from a paused socket. */
  connected(reading: Reading): void {
    this.#reading = reading
    this.#pauseIfFull()
  }

  disconnected(): void {
    this.#reading = null
    this.#isPaused = false
  }

  /** @throws the error of `onDelivery`; the message is then not handed on */
  deliver(received: Received): void {
    const bytes = received.publish.payload.length
    this.#messages++
    this.#bytes += bytes
    this.#pauseIfFull()
    try {
      this.#options.onDelivery(new ReceivedDelivery(received, this.#onSettle))
    } catch (error) {
      this.#messages--
      this.#bytes -= bytes
      throw error
    }
  }

  async untilIdle(): Promise<void> {
    if (this.#messages > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  /** Also resolves when the signal is aborted. */
  async untilLow(signal: AbortSignal): Promise<void> {
    if (this.isLow || signal.aborted) return
    const { promise, resolve } = withResolvers<void>()
    const giveUp = () => resolve()
    signal.addEventListener('abort', giveUp)
    this.#onLow = giveUp
    await promise
    this.#onLow = null
    signal.removeEventListener('abort', giveUp)
  }

  readonly #onSettle = (payload: Buffer, unanswered: Unanswered): void => {
    this.#messages--
    this.#bytes -= payload.length
    unanswered.settle()
    this.#resumeIfLow()
    if (this.#messages === 0) this.#onIdle?.()
  }

  #pauseIfFull(): void {
    const { messages, bytes } = this.#options.highWatermark
    if (this.#reading === null || this.#isPaused) return
    if (this.#messages < messages && this.#bytes < bytes) return
    this.#isPaused = true
    this.#reading.pause()
  }

  #resumeIfLow(): void {
    if (!this.isLow) return
    this.#onLow?.()
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#reading?.resume()
  }
}

/** Thousands may wait at a time, so it is one object without closures. */
class ReceivedDelivery implements Delivery {
  readonly topic: string
  readonly payload: Buffer
  readonly redelivered: boolean
  readonly receivedAt: Instant
  readonly fault: string | null
  readonly withoutReply: boolean
  readonly #unanswered: Unanswered
  readonly #onSettle: (payload: Buffer, unanswered: Unanswered) => void

  constructor(
    { publish, receivedAt, unanswered, fault, withoutReply }: Received,
    onSettle: (payload: Buffer, unanswered: Unanswered) => void,
  ) {
    this.topic = publish.topic
    this.payload = publish.payload
    this.redelivered = publish.dup
    this.receivedAt = receivedAt
    this.fault = fault
    this.withoutReply = withoutReply
    this.#unanswered = unanswered
    this.#onSettle = onSettle
  }

  settle(): void {
    this.#onSettle(this.payload, this.#unanswered)
  }
}
