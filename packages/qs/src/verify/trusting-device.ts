import type { BrokerOptions } from '@qs-telemetry/device'
import { brokerUrls, EventTopic } from '@qs-telemetry/protocol'
import mqtt, { type MqttClient } from 'mqtt'
import type { Answer, SentEvent } from './verification.ts'

export interface TrustingDeviceOptions {
  readonly broker: BrokerOptions
  readonly deviceId: string
  /** Begins the ids of its events. */
  readonly run: string
  /** With `+` for the device id. */
  readonly eventsTopic: string
  readonly onAnswer: (answer: Answer) => void
}

/** Far below the Receive Maximum of the broker, which MQTT.js does not obey. */
const WINDOW = 100
const RECONNECT_MS = 200

/**
 * A device that knows no device ack and forgets an event at its PUBACK. It opens a new client for each connection:
 * MQTT.js, when it reconnects by itself, may take the PUBACK of one message for that of another.
 */
export class TrustingDevice {
  readonly sent: SentEvent[] = []
  readonly #options: TrustingDeviceOptions
  readonly #topic: string
  #queue: SentEvent[] = []
  #underWay = new Set<SentEvent>()
  #answered = 0
  #client: MqttClient | null = null
  #connections = 0
  #timer: NodeJS.Timeout | undefined
  #onAllAnswered: (() => void) | null = null

  constructor(options: TrustingDeviceOptions) {
    this.#options = options
    this.#topic = new EventTopic(options.eventsTopic).topicOf(options.deviceId)
  }

  get deviceId(): string {
    return this.#options.deviceId
  }

  /** Connects, and again whenever the connection ends. */
  open(): void {
    const { url, username, password, mqtt: more } = this.#options.broker
    const nodes = brokerUrls(url)
    const client = mqtt.connect(nodes[this.#connections++ % nodes.length] as string, {
      ...more,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      protocolVersion: 5,
      reconnectPeriod: 0,
    })
    this.#client = client
    // The end of the connection says the same.
    client.on('error', () => {})
    client.on('connect', () => this.#pump())
    client.on('close', () => {
      if (this.#client !== client) return
      this.#queue = [...this.#underWay, ...this.#queue]
      this.#underWay = new Set()
      this.#timer = setTimeout(() => this.open(), RECONNECT_MS)
    })
  }

  send(): void {
    const seq = this.sent.length
    const event = { eventId: `${this.#options.run}-${seq}`, value: seq / 10, seq }
    this.sent.push(event)
    this.#queue.push(event)
    this.#pump()
  }

  /** Settles when every event has its PUBACK. */
  async finish(): Promise<void> {
    if (this.#answered < this.sent.length)
      await new Promise<void>((resolve) => (this.#onAllAnswered = resolve))
  }

  close(): void {
    clearTimeout(this.#timer)
    const client = this.#client
    this.#client = null
    client?.end(true)
  }

  #pump(): void {
    const client = this.#client
    if (client === null || !client.connected) return
    while (this.#underWay.size < WINDOW) {
      const event = this.#queue.shift()
      if (event === undefined) return
      this.#publish(client, event)
    }
  }

  #publish(client: MqttClient, event: SentEvent): void {
    const { deviceId, onAnswer } = this.#options
    const { eventId, value, seq } = event
    const fields = {
      schema: 1,
      event_id: eventId,
      device_id: deviceId,
      event_type: 'verify',
      value,
      meta: { seq },
    }
    this.#underWay.add(event)
    client.publish(this.#topic, JSON.stringify(fields), { qos: 1 }, (error) => {
      const isRefused = typeof (error as { readonly code?: unknown } | null)?.code === 'number'
      // Anything else than a refusal is the end of the connection; and only the present connection counts.
      if (client !== this.#client || (error && !isRefused) || !this.#underWay.delete(event)) return
      this.#answered++
      onAnswer({ event_id: eventId, status: isRefused ? 'rejected' : 'stored' })
      if (this.#answered === this.sent.length) this.#onAllAnswered?.()
      this.#pump()
    })
  }
}
