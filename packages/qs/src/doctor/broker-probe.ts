import mqtt, { type IConnackPacket } from 'mqtt'
import { brokerError } from '../endpoints/broker-error.ts'
import type { BrokerAccess } from '../endpoints/broker-options.ts'
import { QsError } from '../errors/qs-error.ts'

export interface ProbeOptions {
  readonly clientId: string
  readonly clean: boolean
  /** Session expiry interval (MQTT 5). */
  readonly sessionExpirySeconds: number
  readonly version: 4 | 5
}

export interface Heard {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: number
}

const TIMEOUT_MS = 5_000
const REFUSED = 0x80

/** One connection of the doctor to a broker. It does not reconnect, and keeps the messages it receives. */
export class BrokerProbe {
  readonly connack: IConnackPacket
  readonly heard: readonly Heard[]
  readonly #client: mqtt.MqttClient
  /** A publish was not answered, and a graceful DISCONNECT would wait for it. */
  #isStuck = false

  private constructor(client: mqtt.MqttClient, connack: IConnackPacket, heard: readonly Heard[]) {
    this.#client = client
    this.connack = connack
    this.heard = heard
  }

  /** @throws QsError if the broker is unreachable or refuses */
  static async open(access: BrokerAccess, options: ProbeOptions): Promise<BrokerProbe> {
    const { url, ...credentials } = access
    const { clientId, clean, sessionExpirySeconds, version } = options
    const heard: Heard[] = []
    const client = mqtt.connect(url, {
      ...credentials,
      clientId,
      clean,
      protocolVersion: version,
      reconnectPeriod: 0,
      connectTimeout: TIMEOUT_MS,
      ...(version === 5 && { properties: { sessionExpiryInterval: sessionExpirySeconds } }),
    })
    client.on('message', (topic, payload, { qos }) => heard.push({ topic, payload, qos }))
    try {
      const connack = await new Promise<IConnackPacket>((resolve, reject) => {
        client.once('connect', resolve)
        client.on('error', reject)
        client.once('close', () =>
          reject(new QsError('BROKER_NO_ANSWER', 'the broker closed the connection')),
        )
      })
      return new BrokerProbe(client, connack, heard)
    } catch (error) {
      client.end(true)
      throw error instanceof QsError ? error : brokerError(url, error)
    }
  }

  /** With MQTT 5, otherwise with 3.1.1. @throws QsError if neither works */
  static async openAny(
    access: BrokerAccess,
    options: Omit<ProbeOptions, 'version'>,
  ): Promise<{ readonly probe: BrokerProbe; readonly version: 4 | 5 }> {
    try {
      return { probe: await BrokerProbe.open(access, { ...options, version: 5 }), version: 5 }
    } catch {
      return { probe: await BrokerProbe.open(access, { ...options, version: 4 }), version: 4 }
    }
  }

  /** False if the broker has ended the connection: it would keep each request for a time-out. */
  get isConnected(): boolean {
    return this.#client.connected
  }

  /** The granted QoS; null if the broker refuses, or has ended the connection. */
  async subscribe(topic: string, qos: 0 | 1): Promise<number | null> {
    if (!this.isConnected) return null
    try {
      const [granted] = await inTime(this.#client.subscribeAsync(topic, { qos }))
      return granted === undefined || Number(granted.qos) >= REFUSED ? null : granted.qos
    } catch {
      return null
    }
  }

  async unsubscribe(topic: string): Promise<void> {
    if (this.isConnected) await inTime(this.#client.unsubscribeAsync(topic)).catch(() => {})
  }

  /** @throws if the broker refuses (MQTT 5 only), closes the connection or does not answer */
  async publish(topic: string, payload: string | Buffer, qos: 0 | 1): Promise<void> {
    try {
      await inTime(this.#client.publishAsync(topic, payload, { qos }))
    } catch (error) {
      this.#isStuck = true
      throw error
    }
  }

  /** Waits until enough messages have arrived, or none for `quietMs`. @returns whether there are enough */
  async listen(isEnough: (heard: readonly Heard[]) => boolean, quietMs: number): Promise<boolean> {
    if (isEnough(this.heard)) return true
    return new Promise((resolve) => {
      const end = (result: boolean) => {
        clearTimeout(timer)
        this.#client.off('message', onMessage)
        this.#client.off('close', onClose)
        resolve(result)
      }
      const onMessage = () => (isEnough(this.heard) ? end(true) : timer.refresh())
      const onClose = () => end(false)
      const timer = setTimeout(onClose, quietMs)
      this.#client.on('message', onMessage)
      this.#client.once('close', onClose)
    })
  }

  /** Disconnects; the session stays until its expiry. */
  async close(): Promise<void> {
    await inTime(this.#client.endAsync(this.#isStuck)).catch(() => this.#client.end(true))
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new QsError('BROKER_NO_ANSWER', `no answer within ${TIMEOUT_MS} ms`)),
      TIMEOUT_MS,
    )
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
