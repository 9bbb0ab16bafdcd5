import { Socket } from 'node:net'
import { reasonWords } from '@qs-telemetry/protocol'
import type { IClientOptions, MqttClient } from 'mqtt'
import { connectBroker } from './connect-broker.ts'
import { DeviceError } from './errors.ts'
import { SendWindow } from './send-window.ts'

/** How to reach the broker. */
export interface BrokerOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`; several nodes of one broker, separated by commas, are tried in turn. */
  readonly url: string
  readonly clientId?: string
  readonly username?: string
  readonly password?: string
  /** QoS of the events. Default 1; 0 relies on resending alone. */
  readonly qos?: 0 | 1 | 2
  /** Pause before connecting again, in milliseconds; jittered by half. Default 1,000. */
  readonly reconnectMs?: number
  /** Any other option of MQTT.js, such as TLS. */
  readonly mqtt?: Readonly<IClientOptions>
}

export interface LinkListener {
  /** Connected and subscribed: device acks for messages published from now on will arrive. */
  ready(): void
  lost(): void
  message(topic: string, payload: Uint8Array): void
  problem(error: Error): void
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const DISCONNECT_GRACE_MS = 2_000
const CUT_OFF: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE'])

/**
 * One connection with its subscriptions, restored whenever it is lost. Keeps no message: the outbox decides what is
 * sent again, so MQTT.js' own store is emptied when a connection ends, or each event would be sent twice.
 *
 * Speaks MQTT 5, for its reason codes, and 3.1.1 with a broker that does not support it.
 */
export class Link {
  readonly #options: BrokerOptions
  readonly #topicFilters: readonly string[]
  readonly #listener: LinkListener
  #client: MqttClient | null = null
  #isReady = false
  #window = new SendWindow()
  /** Whether the current connection has its CONNACK. */
  #isAccepted = false
  /** Why the current connection ends, if it is known. */
  #end: Error | null = null
  #lastError: Error | null = null
  #waiters: Waiter[] = []

  constructor(options: BrokerOptions, topicFilters: readonly string[], listener: LinkListener) {
    this.#options = options
    this.#topicFilters = topicFilters
    this.#listener = listener
  }

  get isReady(): boolean {
    return this.#isReady
  }

  get hasRoom(): boolean {
    return this.#window.hasRoom
  }

  whenRoom(call: () => void): void {
    this.#window.whenRoom(call)
  }

  open(): void {
    this.#start(5)
  }

  publish(topic: string, payload: string | Buffer, onRefused: (error: Error) => void): void {
    const [window, qos] = [this.#window, this.#options.qos ?? 1]
    if (qos > 0) window.sent()
    this.#client?.publish(topic, payload, { qos }, (error) => {
      // While connected, an error is a PUBACK with a reason code [MQTT-3.4.2.1].
      if (error && this.#isReady) onRefused(error)
      if (qos > 0) window.answered()
    })
  }

  /**
   * Resolves when connected and subscribed.
   *
   * @throws DeviceError `CONNECTION` after `timeoutMs`, or at once when the broker refuses.
   */
  whenReady(timeoutMs: number): Promise<void> {
    if (this.#isReady) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => waiter.reject(this.#failure(`within ${timeoutMs} ms`)), timeoutMs)
      const leave = () => {
        clearTimeout(timer)
        this.#waiters = this.#waiters.filter((each) => each !== waiter)
      }
      const waiter: Waiter = {
        resolve: () => {
          leave()
          resolve()
        },
        reject: (error) => {
          leave()
          reject(error)
        },
      }
      this.#waiters.push(waiter)
    })
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = null
    this.#isReady = false
    for (const waiter of this.#waiters) waiter.reject(this.#failure('before it was closed'))
    if (client === null) return
    dropOutgoing(client)
    const timer = setTimeout(() => client.stream.destroy(), DISCONNECT_GRACE_MS)
    await client.endAsync(!client.connected)
    clearTimeout(timer)
  }

  #start(protocolVersion: 4 | 5): void {
    const { url, clientId, username, password, reconnectMs = 1_000 } = this.#options
    const client = connectBroker(url, {
      ...this.#options.mqtt,
      ...(clientId === undefined ? {} : { clientId }),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      protocolVersion,
      reconnectPeriod: reconnectMs * (0.75 + Math.random() / 2),
      reconnectOnConnackError: true,
      resubscribe: false,
      clean: true,
    })
    this.#client = client
    // All in this turn of the event loop: a `message` listener attached later can miss queued messages. Without
    // manualConnect, which makes MQTT.js 5.16 reconnect after end().
    client.on('message', (topic, payload) => this.#listener.message(topic, payload))
    client.on('connect', ({ properties }) => {
      noDelay(client.stream)
      this.#isAccepted = true
      this.#window = new SendWindow(properties?.receiveMaximum)
      this.#subscribe(client)
    })
    client.on('disconnect', ({ reasonCode, properties }) =>
      this.#ended(client, `: ${reasonWords(reasonCode ?? 0, properties?.reasonString)}`),
    )
    client.on('close', () => this.#lost(client, protocolVersion))
    client.on('error', (error) => this.#failed(client, error))
  }

  #subscribe(client: MqttClient): void {
    client.subscribe([...this.#topicFilters], { qos: 1 }, (error, granted) => {
      if (client !== this.#client || !client.connected) return
      const refused = granted?.find(({ qos }) => qos >= 128)
      if (error || refused) {
        const topic = refused?.topic ?? this.#topicFilters.join(', ')
        this.#end = new DeviceError('CONNECTION', `Not allowed to subscribe to ${topic}`, { cause: error })
        this.#refused(this.#end)
        client.stream.destroy()
        return
      }
      this.#isReady = true
      for (const waiter of this.#waiters) waiter.resolve()
      this.#listener.ready()
    })
  }

  #lost(client: MqttClient, firstVersion: 4 | 5): void {
    if (client !== this.#client) return
    const [wasReady, wasAccepted] = [this.#isReady, this.#isAccepted]
    const isCutOff = this.#end === null || CUT_OFF.has(codeOf(this.#end))
    if (this.#end === null) this.#ended(client, wasAccepted ? ' without a reason' : ' during the login')
    this.#end = null
    this.#isReady = false
    this.#isAccepted = false
    // A broker without MQTT 5 may cut off the login, and so may one that is restarting: the versions alternate.
    const { options } = client
    if (wasAccepted) options.protocolVersion = firstVersion
    else if (isCutOff) options.protocolVersion = options.protocolVersion === 5 ? 4 : 5
    dropOutgoing(client)
    if (wasReady) this.#listener.lost()
  }

  #ended(client: MqttClient, reason: string): void {
    if (client !== this.#client) return
    this.#end = new DeviceError('CONNECTION_ENDED', `The broker ended the connection${reason}`)
    this.#lastError = this.#end
    this.#listener.problem(this.#end)
  }

  #failed(client: MqttClient, error: Error): void {
    if (client !== this.#client) return
    const code = codeOf(error)
    // 0x01 from a broker that speaks 3.1.1, 0x84 from one that can refuse in MQTT 5.
    if (client.options.protocolVersion === 5 && (code === 1 || code === 132)) {
      client.end(true)
      this.#start(4)
      return
    }
    this.#end = error
    // CONNACK reason codes are numbers, network errors have names.
    if (typeof code === 'number') this.#refused(error)
    else {
      this.#lastError = error
      this.#listener.problem(error)
    }
  }

  #refused(error: Error): void {
    this.#lastError = error
    this.#listener.problem(error)
    for (const waiter of this.#waiters) waiter.reject(this.#failure('because it was refused'))
  }

  #failure(when: string): DeviceError {
    const reason = this.#lastError === null ? '' : `: ${this.#lastError.message || String(this.#lastError)}`
    const options = this.#lastError === null ? {} : { cause: this.#lastError }
    return new DeviceError(
      'CONNECTION',
      `No connection to ${safeUrl(this.#options.url)} ${when}${reason}`,
      options,
    )
  }
}

function codeOf(error: Error): unknown {
  return (error as { readonly code?: unknown }).code
}

/** Otherwise small writes wait up to 40 ms for the peer's delayed TCP acknowledgement. */
function noDelay(stream: object): void {
  if (stream instanceof Socket) stream.setNoDelay(true)
}

function dropOutgoing(client: MqttClient): void {
  for (const id of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(id))
}

/** The URL without credentials. */
function safeUrl(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}
