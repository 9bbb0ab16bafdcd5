import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'
import type { Item } from './item.ts'

export interface SelfishOptions {
  readonly port: number
  /** Already stored: each copy costs the pipeline little and is acked. */
  readonly item: Item
  /** `silent` reads its device acks but never sends a PUBACK; `deaf` stops reading its socket. */
  readonly kind: 'silent' | 'deaf'
  /** QoS of its subscription to device acks. */
  readonly qos: 0 | 1
}

/** 10,000 events per second, well below the ingester's limit; with ids of 120 bytes, 2 MB/s of device acks. */
const ARRAY_EVENTS = 500
const INTERVAL_MS = 50

/**
 * A device that makes its broker keep as much as it will: a durable session, arrays of duplicates, and none of the
 * PUBACKs that it owes.
 */
export class SelfishClient {
  readonly #options: SelfishOptions
  #socket: Socket | null = null
  #timer: NodeJS.Timeout | undefined
  #events = 0

  constructor(options: SelfishOptions) {
    this.#options = options
  }

  /** Events sent so far. */
  get events(): number {
    return this.#events
  }

  /** Resolves when its subscription is granted and the flood has begun. */
  async open(): Promise<void> {
    const { port, item, kind, qos } = this.#options
    const socket = connect(port, '127.0.0.1')
    this.#socket = socket
    socket.on('error', () => {})
    await once(socket, 'connect')
    const packets = parser({ protocolVersion: 4 })
    const granted = new Promise<void>((resolve) => {
      packets.on('packet', ({ cmd }: Packet) => cmd === 'suback' && resolve())
    })
    socket.on('data', (bytes) => packets.parse(bytes))
    const clientId = `selfish-${kind}-${qos}`
    this.#write({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId,
      clean: false,
      keepalive: 0,
    })
    const topic = `qs/v1/${item.deviceId}/acks`
    this.#write({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] })
    await granted
    if (kind === 'deaf') socket.pause()
    this.#timer = setInterval(() => this.#sendMessage(), INTERVAL_MS)
  }

  /** Breaks the connection; the session stays. */
  leave(): void {
    clearInterval(this.#timer)
    this.#socket?.destroy()
  }

  #sendMessage(): void {
    const { deviceId, payload: event } = this.#options.item
    const payload = `[${Array.from({ length: ARRAY_EVENTS }, () => event).join()}]`
    const topic = `qs/v1/${deviceId}/events`
    this.#write({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false })
    this.#events += ARRAY_EVENTS
  }

  #write(packet: Packet): void {
    this.#socket?.write(generate(packet))
  }
}
