import { setTimeout as wait } from 'node:timers/promises'
import { abortable } from './abortable.ts'
import { AckTally } from './ack-tally.ts'
import type { Confirmations } from './confirmations.ts'
import { EventStream, type EventStreamOptions } from './event-stream.ts'
import { MqttLoad } from './mqtt-load.ts'
import { PubackTally } from './puback-tally.ts'

export interface LoadOptions extends EventStreamOptions {
  readonly port: number
  /** That publish in turn. */
  readonly connections: number
  /** Total of all phases. */
  readonly events: number
  /** What confirms events. */
  readonly confirmations: 'device acks' | 'pubacks' | ((onProgress: () => void) => Promise<Confirmations>)
  readonly onLost: (reason: Error) => void
}

export interface Phase {
  /** From the first publish to the last confirmation. */
  readonly seconds: number
  /** From publishing a message to its device ack or PUBACK, sorted; empty if rows confirm. */
  readonly latenciesMs: Float64Array
}

/** A full window reopens when this share of it is free, so that a flood goes out in large writes. */
const REOPEN_SHARE = 0.25
/** Messages without a PUBACK while the broker only queues. */
const QUEUEING_WINDOW = 10_000
/** Connections that are opened at a time: a listener has room for 511. */
const OPENING = 200

/**
 * The devices: publish events, on one connection or several, and wait for their device acks, which come on another
 * one, or for their PUBACKs.
 */
export class Load {
  readonly stream: EventStream
  readonly #options: LoadOptions
  readonly #sentAtMs: Float64Array
  readonly #latencyMs: Float64Array
  #confirmations!: Confirmations
  readonly #publishers: MqttLoad[] = []
  #listener: MqttLoad | null = null
  #messages = 0
  #wakeAt = Number.POSITIVE_INFINITY
  #wake: () => void = () => {}

  private constructor(options: LoadOptions) {
    this.#options = options
    this.stream = new EventStream(options)
    const messages = options.events / options.eventsPerMessage
    this.#sentAtMs = new Float64Array(messages)
    this.#latencyMs = new Float64Array(messages)
  }

  static async connect(options: LoadOptions): Promise<Load> {
    const load = new Load(options)
    const { confirmations } = options
    if (confirmations === 'device acks') await load.#listen()
    else if (confirmations === 'pubacks') await load.#openPublishers(load.#tallyPubacks())
    else load.#confirmations = await confirmations(() => load.#onProgress())
    if (confirmations !== 'pubacks') await load.#openPublishers(null)
    return load
  }

  /** Messages. */
  get sent(): number {
    return this.#messages
  }

  get sentEvents(): number {
    return this.#messages * this.#options.eventsPerMessage
  }

  /** Events. */
  get confirmed(): number {
    return this.#confirmations.confirmed
  }

  get pubacks(): number {
    return this.#publishers.reduce((sum, { pubacks }) => sum + pubacks, 0)
  }

  faults(): readonly string[] {
    return this.#confirmations.faults()
  }

  /**
   * Sends the next `events` with at most a window of them outstanding, since a device keeps what is not acked. Resolves
   * when the last of them is acked.
   */
  async flood(events: number, windowEvents: number, signal: AbortSignal): Promise<Phase> {
    const { eventsPerMessage } = this.#options
    const range = this.#next(events)
    const startMs = performance.now()
    while (this.#messages < range.last) {
      if (this.sentEvents - this.confirmed + eventsPerMessage > windowEvents) {
        this.#flush()
        await this.#until(this.sentEvents - Math.floor(windowEvents * (1 - REOPEN_SHARE)), signal)
      }
      const full = this.#send(performance.now())
      if (full !== null) await abortable(signal, (resolve) => full.onceDrained(resolve))
    }
    return this.#finish(range, startMs, signal)
  }

  /**
   * Sends the next `events` on schedule, whatever comes back: latencies count from when a message was due, so a slow
   * publisher or ingester cannot hide its lag.
   */
  async pace(events: number, ratePerSecond: number, signal: AbortSignal): Promise<Phase> {
    const range = this.#next(events)
    const msPerMessage = (1000 * this.#options.eventsPerMessage) / ratePerSecond
    const startMs = performance.now()
    const dueMs = () => startMs + (this.#messages - range.first) * msPerMessage
    while (this.#messages < range.last) {
      while (this.#messages < range.last && dueMs() <= performance.now()) this.#send(dueMs())
      this.#flush()
      await wait(Math.max(1, Math.floor(dueMs() - performance.now())), undefined, { signal })
    }
    return this.#finish(range, startMs, signal)
  }

  /** Leaves the next `events` with the broker. Resolves when it has answered all of them. */
  async queue(events: number, signal: AbortSignal): Promise<void> {
    const { last } = this.#next(events)
    while (this.#messages < last) {
      if (this.#messages - this.pubacks >= QUEUEING_WINDOW)
        await this.#untilPubacks(QUEUEING_WINDOW / 2, signal)
      this.#send(performance.now())
    }
    await this.#untilPubacks(0, signal)
  }

  /** Resolves when everything sent is confirmed. */
  async untilConfirmed(signal: AbortSignal): Promise<void> {
    await this.#until(this.sentEvents, signal)
  }

  close(): void {
    this.#confirmations.stop()
    for (const publisher of this.#publishers) publisher.close()
    this.#listener?.close()
  }

  async #listen(): Promise<void> {
    const { port, onLost, events, eventsPerMessage } = this.#options
    const onAck = (event: number, status: string) => this.#onAck(event, status)
    const tally = new AckTally(this.stream, { events, eventsPerMessage, onAck })
    this.#confirmations = tally
    const onPublish = (payload: Buffer) => tally.take(payload)
    this.#listener = await MqttLoad.connect({ port, clientId: 'bench-listener', onLost, onPublish })
    await this.#listener.subscribe('qs/v1/+/acks')
  }

  #tallyPubacks(): PubackTally {
    const { connections, eventsPerMessage } = this.#options
    const tally = new PubackTally({
      connections,
      eventsPerMessage,
      onPuback: (message) => this.#onPuback(message),
    })
    this.#confirmations = tally
    return tally
  }

  async #openPublishers(tally: PubackTally | null): Promise<void> {
    const { port, connections, onLost } = this.#options
    while (this.#publishers.length < connections) {
      const first = this.#publishers.length
      const opening = Array.from({ length: Math.min(OPENING, connections - first) }, (_, place) => {
        const connection = first + place
        const clientId = `bench-publisher-${connection}`
        const onPuback = (packetId: number) => tally?.take(connection, packetId)
        return MqttLoad.connect({ port, clientId, onLost, onPuback })
      })
      this.#publishers.push(...(await Promise.all(opening)))
    }
  }

  #flush(): void {
    for (const publisher of this.#publishers) publisher.flush()
  }

  #next(events: number) {
    return { first: this.#messages, last: this.#messages + events / this.#options.eventsPerMessage }
  }

  async #finish(
    range: { first: number; last: number },
    startMs: number,
    signal: AbortSignal,
  ): Promise<Phase> {
    this.#flush()
    await this.untilConfirmed(signal)
    const seconds = (performance.now() - startMs) / 1000
    const hasAnswers = typeof this.#options.confirmations === 'string'
    return {
      seconds,
      latenciesMs: hasAnswers ? this.#latencies(range.first, range.last) : new Float64Array(),
    }
  }

  /** Latencies of messages sent only once: an ack does not tell which of two copies it answers. */
  #latencies(first: number, last: number): Float64Array {
    const { eventsPerMessage } = this.#options
    const originOf = (message: number) => this.stream.differentEvents(message) / eventsPerMessage
    return this.#latencyMs.slice(originOf(first), originOf(last)).sort()
  }

  /** @returns the connection if it is full, or null */
  #send(atMs: number): MqttLoad | null {
    const message = this.#messages++
    const { stream } = this
    this.#confirmations.expect(message)
    if (!stream.isResent(message)) {
      this.#sentAtMs[stream.firstEventOf(message) / this.#options.eventsPerMessage] = atMs
    }
    const publisher = this.#publishers[message % this.#publishers.length] as MqttLoad
    return publisher.publish(stream.topicOf(message), stream.payloadOf(message)) ? null : publisher
  }

  /** Waits until this many events in total are confirmed. */
  async #until(confirmed: number, signal: AbortSignal): Promise<void> {
    if (this.confirmed >= confirmed) return
    await abortable(signal, (resolve) => {
      this.#wakeAt = confirmed
      this.#wake = resolve
    })
  }

  async #untilPubacks(outstanding: number, signal: AbortSignal): Promise<void> {
    this.#flush()
    const [publisher] = this.#publishers
    await abortable(signal, (resolve) => publisher?.oncePubacked(this.#messages - outstanding, resolve))
  }

  #onAck(event: number, status: string): void {
    const { eventsPerMessage } = this.#options
    if (status === 'stored' && (event + 1) % eventsPerMessage === 0) {
      const origin = (event + 1) / eventsPerMessage - 1
      this.#latencyMs[origin] = performance.now() - (this.#sentAtMs[origin] as number)
    }
    this.#onProgress()
  }

  #onPuback(message: number): void {
    const { stream } = this
    if (!stream.isResent(message)) {
      const origin = stream.firstEventOf(message) / this.#options.eventsPerMessage
      this.#latencyMs[origin] = performance.now() - (this.#sentAtMs[origin] as number)
    }
    this.#onProgress()
  }

  #onProgress(): void {
    if (this.confirmed < this.#wakeAt) return
    this.#wakeAt = Number.POSITIVE_INFINITY
    this.#wake()
  }
}
