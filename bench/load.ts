import { AckTally } from './ack-tally.ts'
import { EventStream, type EventStreamOptions } from './event-stream.ts'
import { MqttLoad } from './mqtt-load.ts'

export interface LoadOptions extends EventStreamOptions {
  readonly port: number
  /** Of all phases together. */
  readonly events: number
  readonly windowEvents: number
  readonly onLost: (reason: Error) => void
}

export interface Phase {
  /** From the first publish to the last device ack. */
  readonly seconds: number
  /** From publishing a message to its device ack, sorted, in ms. */
  readonly latenciesMs: Float64Array
}

/** A full window opens again when this much of it is free, so that a flood goes out in large writes. */
const REOPEN_SHARE = 0.25

/**
 * The devices: publishes events and waits for their device acks, with at most a window of them outstanding,
 * since a device keeps what is not acked. Publisher and listener are two connections, as with a gateway.
 */
export class Load {
  readonly #options: LoadOptions
  readonly #stream: EventStream
  readonly #tally: AckTally
  readonly #sentAtMs: Float64Array
  readonly #latencyMs: Float64Array
  #publisher!: MqttLoad
  #listener!: MqttLoad
  #sent = 0
  #wakeAt = Number.POSITIVE_INFINITY
  #wake: () => void = () => {}

  private constructor(options: LoadOptions) {
    this.#options = options
    this.#stream = new EventStream(options)
    this.#tally = new AckTally(this.#stream, options.events, (event) => this.#onAck(event))
    const messages = Math.ceil(options.events / options.eventsPerMessage)
    this.#sentAtMs = new Float64Array(messages)
    this.#latencyMs = new Float64Array(messages)
  }

  static async connect(options: LoadOptions): Promise<Load> {
    const load = new Load(options)
    const { port, onLost } = options
    const onPublish = (payload: Buffer) => load.#tally.take(payload)
    load.#listener = await MqttLoad.connect({ port, clientId: 'bench-listener', onLost, onPublish })
    await load.#listener.subscribe('qs/v1/+/acks')
    load.#publisher = await MqttLoad.connect({ port, clientId: 'bench-publisher', onLost })
    return load
  }

  get sent(): number {
    return this.#sent
  }

  get stored(): number {
    return this.#tally.stored
  }

  get pubacks(): number {
    return this.#publisher.pubacks
  }

  get tally(): AckTally {
    return this.#tally
  }

  /** Sends the next `events`, and settles when the last of them is acked. */
  async run(events: number, signal: AbortSignal): Promise<Phase> {
    const { eventsPerMessage, windowEvents } = this.#options
    const first = this.#sent / eventsPerMessage
    const last = first + events / eventsPerMessage
    const startMs = performance.now()
    for (let message = first; message < last; message++) {
      if (this.#outstanding + eventsPerMessage > windowEvents) {
        this.#publisher.flush()
        await this.#until(this.#sent - Math.floor(windowEvents * (1 - REOPEN_SHARE)), signal)
      }
      this.#sentAtMs[message] = performance.now()
      this.#sent += eventsPerMessage
      const hasRoom = this.#publisher.publish(this.#stream.topicOf(message), this.#stream.payloadOf(message))
      if (!hasRoom) await abortable(signal, (resolve) => this.#publisher.onceDrained(resolve))
    }
    this.#publisher.flush()
    await this.#until(this.#sent, signal)
    const seconds = (performance.now() - startMs) / 1000
    return { seconds, latenciesMs: this.#latencyMs.slice(first, last).sort() }
  }

  close(): void {
    this.#publisher.close()
    this.#listener.close()
  }

  get #outstanding(): number {
    return this.#sent - this.#tally.stored
  }

  /** Waits until so many events in all are acked. */
  async #until(stored: number, signal: AbortSignal): Promise<void> {
    if (this.#tally.stored >= stored) return
    await abortable(signal, (resolve) => {
      this.#wakeAt = stored
      this.#wake = resolve
    })
  }

  #onAck(event: number): void {
    const { eventsPerMessage } = this.#options
    if ((event + 1) % eventsPerMessage === 0) {
      const message = (event + 1) / eventsPerMessage - 1
      this.#latencyMs[message] = performance.now() - (this.#sentAtMs[message] as number)
    }
    if (this.#tally.stored < this.#wakeAt) return
    this.#wakeAt = Number.POSITIVE_INFINITY
    this.#wake()
  }
}

async function abortable(signal: AbortSignal, start: (resolve: () => void) => void): Promise<void> {
  signal.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    start(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
  })
}
