import { connect, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'
import { type Item, item } from './item.ts'

export interface TrustingPublisherOptions {
  readonly port: number
  readonly deviceId: string
  readonly messagesPerSecond: number
  /** Called when an event is sent for the first time. */
  readonly onSent: (item: Item) => void
}

const TICK_MS = 20
const RECONNECT_MS = 20

/**
 * A device that forgets an event at its PUBACK, ignores device acks and reconnects whenever its connection ends. Uses
 * raw packets so that each PUBACK belongs to one message: MQTT.js may give a packet identifier to a new message
 * before it resends an older one with the same identifier.
 */
export class TrustingPublisher {
  readonly #options: TrustingPublisherOptions
  #isPaused = false
  readonly #timer: NodeJS.Timeout
  readonly #items = new Map<string, Item>()
  readonly #pubacked = new Set<string>()
  /** Events without a PUBACK on this connection, by packet identifier. */
  #underWay = new Map<number, Item>()
  /** Events to resend on this connection. */
  readonly #again: Item[] = []
  #socket: Socket | null = null
  #isReady = false
  #isClosed = false
  #lastId = 0

  constructor(options: TrustingPublisherOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#connect()
  }

  get sent(): number {
    return this.#items.size
  }

  get pubacked(): ReadonlySet<string> {
    return this.#pubacked
  }

  /** Resends these as if they had no PUBACK. */
  sendAgain(eventIds: Iterable<string>): void {
    for (const id of eventIds) {
      this.#pubacked.delete(id)
      this.#again.push(this.#items.get(id) as Item)
    }
  }

  /** Sends nothing new; events without a PUBACK are still resent. */
  pause(): void {
    this.#isPaused = true
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#socket?.destroy()
  }

  #connect(): void {
    if (this.#isClosed) return
    const socket = connect(this.#options.port, '127.0.0.1')
    this.#socket = socket
    const packets = parser({ protocolVersion: 4 })
    packets.on('packet', (packet: Packet) => this.#hear(packet))
    socket.on('data', (bytes) => packets.parse(bytes))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#isReady = false
      this.#again.push(...this.#underWay.values())
      this.#underWay = new Map()
      setTimeout(() => this.#connect(), RECONNECT_MS)
    })
    const clientId = this.#options.deviceId
    this.#write({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId,
      clean: true,
      keepalive: 0,
    })
  }

  #hear(packet: Packet): void {
    if (packet.cmd === 'connack') this.#isReady = packet.returnCode === 0
    if (packet.cmd !== 'puback') return
    const item = this.#underWay.get(packet.messageId ?? 0)
    if (item === undefined) return
    this.#underWay.delete(packet.messageId ?? 0)
    this.#pubacked.add(item.eventId)
  }

  #tick(): void {
    if (!this.#isReady) return
    for (const each of this.#again.splice(0)) this.#publish(each)
    if (this.#isPaused) return
    const { deviceId, messagesPerSecond, onSent } = this.#options
    for (let n = (messagesPerSecond * TICK_MS) / 1_000; n > 0; n--) {
      const event = item(deviceId, this.#items.size, { event_type: 't', value: 1 })
      this.#items.set(event.eventId, event)
      onSent(event)
      this.#publish(event)
    }
  }

  #publish(event: Item): void {
    do this.#lastId = (this.#lastId % 65_535) + 1
    while (this.#underWay.has(this.#lastId))
    this.#underWay.set(this.#lastId, event)
    const topic = `qs/v1/${event.deviceId}/events`
    const { payload } = event
    this.#write({
      cmd: 'publish',
      messageId: this.#lastId,
      topic,
      payload,
      qos: 1,
      dup: false,
      retain: false,
    })
  }

  #write(packet: Packet): void {
    this.#socket?.write(generate(packet))
  }
}
