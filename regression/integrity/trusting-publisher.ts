import { connect, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'
import type { Checker } from '../checker.ts'
import { type Item, item, type MakeItem } from './item.ts'
import type { Witness } from './witness.ts'

export interface TrustingPublisherOptions {
  readonly port: number
  readonly deviceId: string
  readonly messagesPerSecond: number
  /** Default 1; with 2 it forgets an event at its PUBREC. */
  readonly qos?: 1 | 2
  /** Default 4: MQTT 3.1.1. */
  readonly version?: 4 | 5
  readonly makeItem?: MakeItem
  readonly checker: Checker
  readonly witness: Witness
}

const TICK_MS = 20
const RECONNECT_MS = 20
/** Unanswered at a time: a broker disconnects who exceeds its Receive Maximum [MQTT-3.3.4-9], and counts QoS 2 until PUBCOMP. */
const WINDOW = 500
/** Without a word for this long after a PINGREQ it reconnects, as any client does. */
const SILENCE_MS = 15_000
const PING_MS = 1_000
/** After a pause of this process, events continue at their pace instead of all at once. */
const MAX_BURST_MS = 500
const REFUSED = 0x80

const simpleItem: MakeItem = (deviceId, n) => item(deviceId, n, { event_type: 't', value: 1 })

/**
 * A device that forgets an event at its PUBACK, ignores device acks and reconnects whenever its connection ends. The
 * witness looks up the row of each event at that moment, and the checker compares the order of PUBACKs.
 *
 * Uses raw packets so that each PUBACK belongs to one message: MQTT.js may give a packet identifier to a new message
 * before it resends an older one with the same identifier.
 */
export class TrustingPublisher {
  readonly #options: Required<TrustingPublisherOptions>
  readonly #timer: NodeJS.Timeout
  /** Events without an answer on this connection, by packet identifier. */
  #underWay = new Map<number, Item>()
  /** Events to send or resend on this connection. */
  readonly #queue: Item[] = []
  #socket: Socket | null = null
  #isReady = false
  #isPaused = false
  #isClosed = false
  #connections = 0
  #lastId = 0
  #sent = 0
  #answered = 0
  #owed = 0
  #tickedMs = performance.now()
  #heardMs = performance.now()
  #pingedMs = performance.now()

  constructor(options: TrustingPublisherOptions) {
    this.#options = { qos: 1, version: 4, makeItem: simpleItem, ...options }
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#connect()
  }

  get sent(): number {
    return this.#sent
  }

  /** Events with a PUBACK or PUBREC. */
  get answered(): number {
    return this.#answered
  }

  get waiting(): number {
    return this.#sent - this.#answered
  }

  /** Sends nothing new; events without an answer are still resent. */
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
    const { port, version, deviceId: clientId } = this.#options
    const socket = connect(port, '127.0.0.1')
    this.#socket = socket
    this.#connections++
    this.#heardMs = performance.now()
    const packets = parser({ protocolVersion: version })
    packets.on('packet', (packet: Packet) => socket === this.#socket && this.#hear(packet))
    socket.on('data', (bytes) => {
      this.#heardMs = performance.now()
      packets.parse(bytes)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#isReady = false
      this.#queue.unshift(...this.#underWay.values())
      this.#underWay = new Map()
      setTimeout(() => this.#connect(), RECONNECT_MS)
    })
    this.#write({
      ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: version, clientId },
      ...{ clean: true, keepalive: 0 },
    })
  }

  #hear(packet: Packet): void {
    const { messageId = 0 } = packet
    if (packet.cmd === 'connack') this.#isReady = (packet.returnCode ?? packet.reasonCode) === 0
    else if (packet.cmd === 'puback') this.#onAnswer(messageId, packet.reasonCode ?? 0)
    else if (packet.cmd === 'pubrec') {
      const reason = packet.reasonCode ?? 0
      this.#onAnswer(messageId, reason)
      // [MQTT 5, 4.3.3]
      if (reason < REFUSED) this.#write({ cmd: 'pubrel', messageId })
    }
  }

  #onAnswer(packetId: number, reason: number): void {
    const { checker, witness, version } = this.#options
    const event = this.#underWay.get(packetId)
    if (event === undefined) return checker.pubacked(this.#name, packetId)
    this.#underWay.delete(packetId)
    this.#answered++
    witness.pubacked(this.#name, packetId, event)
    const isRefused = event.fate === 'rejected'
    if (version === 5 && reason >= REFUSED !== isRefused)
      checker.violations.push(`the answer to ${event.payload} has the reason code ${reason}`)
  }

  #tick(): void {
    const nowMs = performance.now()
    const passedMs = Math.min(nowMs - this.#tickedMs, MAX_BURST_MS)
    this.#tickedMs = nowMs
    this.#ping(nowMs)
    if (!this.#isReady) return
    const { deviceId, messagesPerSecond, checker, makeItem } = this.#options
    if (!this.#isPaused) this.#owed += (passedMs / 1_000) * messagesPerSecond
    for (; !this.#isPaused && this.#owed >= 1; this.#owed--) {
      const event = makeItem(deviceId, this.#sent++)
      checker.sent(event)
      this.#queue.push(event)
    }
    const room = Math.max(0, WINDOW - this.#underWay.size)
    for (const event of this.#queue.splice(0, room)) this.#publish(event)
  }

  #ping(nowMs: number): void {
    if (nowMs - this.#pingedMs < PING_MS) return
    this.#pingedMs = nowMs
    if (nowMs - this.#heardMs > SILENCE_MS) this.#socket?.destroy()
    else if (this.#isReady) this.#write({ cmd: 'pingreq' })
  }

  #publish(event: Item): void {
    do this.#lastId = (this.#lastId % 65_535) + 1
    while (this.#underWay.has(this.#lastId))
    const { deviceId, payload } = event
    const { qos, checker } = this.#options
    this.#underWay.set(this.#lastId, event)
    checker.delivered(this.#name, { packetId: this.#lastId, deviceId, payloads: [payload] })
    const topic = `qs/v1/${deviceId}/events`
    this.#write({
      ...{ cmd: 'publish', messageId: this.#lastId, topic, payload, qos },
      ...{ dup: false, retain: false },
    })
  }

  get #name(): string {
    return `${this.#options.deviceId}/${this.#connections}`
  }

  #write(packet: Packet): void {
    this.#socket?.write(generate(packet, { protocolVersion: this.#options.version }))
  }
}
