import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from 'mqtt-packet'
import type { DeviceEnd, DeviceLink } from './device-link.ts'
import { type Message, packMessages } from './messages.ts'
import { readAcks } from './read-acks.ts'
import { GOODBYE } from './wills.ts'
import type { Item } from './workload.ts'
import type { World } from './world.ts'

export interface TrustingDeviceOptions {
  readonly id: string
  readonly qos: 0 | 1 | 2
  readonly version: 4 | 5
  /** Returns to its session after a reconnect. */
  readonly isLasting: boolean
  /** Subscribes to its device acks; with QoS 0 it always does. */
  readonly listens: boolean
  readonly maxArray: number
  readonly maxInFlight: number
  readonly connect: (end: DeviceEnd, will: Item | null) => DeviceLink | null
  /** The will of the nth connection; null: none. */
  readonly willOf: (n: number) => Item | null
}

const RESEND_MS = 5_000
const RECONNECT_MS = 500
const KEEP_ALIVE_SECONDS = 4
const PING_MS = 1_000
/** Also the time for CONNACK. */
const ANSWER_MS = 8_000
/** Reconnects leave messages unanswered that count against its share, so only its first connections must be read. */
const SURE_LINKS = 2
/** How often a device leaves in the ordinary way, at each look. */
const LEAVES = 0.03
/** Far below its share at the watermark. */
const POLITE = { messages: 4, bytes: 4_000 }

/**
 * A device with any MQTT library: it forgets a message with QoS 1 at its PUBACK and one with QoS 2 at its PUBREC. It
 * sends again only after a reconnect [MQTT-4.4.0-1]. With QoS 0 it keeps each event until its device ack.
 */
export class TrustingDevice {
  readonly id: string
  readonly #world: World
  readonly #options: TrustingDeviceOptions
  /** What it has not forgotten, and when each was last sent; null: it must be sent. */
  readonly #kept = new Map<Item, number | null>()
  /** Without PUBACK or PUBREC, in the order of sending. */
  #open = new Map<number, Message>()
  /** PUBREL sent, no PUBCOMP yet. */
  #released = new Set<number>()
  #link: DeviceLink | null = null
  #links = 0
  #isReady = false
  #lastId = 0
  #heardMs = 0
  #askedMs: number | null = null

  constructor(world: World, options: TrustingDeviceOptions) {
    this.id = options.id
    this.#world = world
    this.#options = options
    const { timeline, random } = world
    const tick = () => {
      this.#look()
      timeline.after(PING_MS * (0.5 + random.next()), tick)
    }
    timeline.after(random.next() * RECONNECT_MS, tick)
  }

  get isDone(): boolean {
    return this.#kept.size === 0 && this.#released.size === 0
  }

  want(items: readonly Item[]): void {
    for (const item of items) this.#kept.set(item, null)
    this.#send()
  }

  #look(): void {
    const { timeline, faults, random } = this.#world
    if (this.#link === null) return this.#connect()
    const silentMs = timeline.nowMs - Math.max(this.#heardMs, this.#askedMs ?? timeline.nowMs)
    if (silentMs > ANSWER_MS + 4 * faults.latencyMs) return this.#giveUp()
    if (!this.#isReady) return
    if (faults.isOn && random.chance(LEAVES)) return this.#leave()
    this.#askedMs ??= timeline.nowMs
    this.#write({ cmd: 'pingreq' })
    this.#send()
  }

  #connect(): void {
    const { timeline, random } = this.#world
    const { version, isLasting } = this.#options
    const reader = parser({ protocolVersion: version })
    const will = this.#options.willOf(this.#links)
    const end = {
      onBytes: (bytes: Buffer) => {
        this.#heardMs = timeline.nowMs
        this.#askedMs = null
        reader.parse(bytes)
      },
      onClose: () => this.#lost(link),
    }
    const link: DeviceLink | null = this.#options.connect(end, will)
    if (link === null) return
    reader.on('packet', (packet) => link === this.#link && this.#hear(packet))
    this.#link = link
    this.#links++
    this.#askedMs = timeline.nowMs
    this.#write({
      ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: version, clientId: this.id },
      ...{ clean: !isLasting, keepalive: KEEP_ALIVE_SECONDS + random.below(2) },
      ...(will !== null && { will: this.#willPacket(will) }),
      ...(version === 5 && isLasting && { properties: { sessionExpiryInterval: 3_600 } }),
    })
  }

  /** Its will is taken back [MQTT-3.14.4-3]. */
  #leave(): void {
    const link = this.#link
    link?.send(GOODBYE)
    link?.close()
    this.#lost(link)
  }

  #giveUp(): void {
    const link = this.#link
    const bytes = [...this.#open.values()].reduce((sum, { payload }) => sum + payload.length, 0)
    const isPolite = this.#open.size <= POLITE.messages && bytes <= POLITE.bytes
    if (link?.isSound && this.#links <= SURE_LINKS && isPolite && this.#options.qos > 0) {
      this.#world.checker.violations.push(
        `${this.id} has ${this.#open.size} messages of ${bytes} bytes without an answer, and gets none to its PINGREQ`,
      )
    }
    link?.close()
    this.#lost(link)
  }

  #lost(link: DeviceLink | null): void {
    if (link !== this.#link) return
    this.#link = null
    this.#isReady = false
    this.#askedMs = null
  }

  #hear(packet: Packet): void {
    const { checker } = this.#world
    switch (packet.cmd) {
      case 'connack':
        return this.#welcome(packet.sessionPresent)
      case 'puback':
        this.#answered(packet.messageId ?? 0, packet.reasonCode ?? 0)
        return
      case 'pubrec':
        this.#onPubrec(packet.messageId ?? 0, packet.reasonCode ?? 0)
        return
      case 'pubcomp':
        this.#released.delete(packet.messageId ?? 0)
        return
      case 'publish':
        for (const ack of readAcks(this.id, packet.payload.toString())) {
          checker.acked(ack)
          if (this.#options.qos === 0) this.#forgetAcked(ack.eventId)
        }
    }
  }

  #forgetAcked(eventId: string | null): void {
    for (const item of this.#kept.keys()) {
      if (item.ackId === eventId && this.#world.checker.isKept(this.id, item.payload)) this.#kept.delete(item)
    }
  }

  #welcome(isPresent: boolean): void {
    const { qos, listens } = this.#options
    this.#isReady = true
    if (listens || qos === 0) {
      const topic = `qs/v1/${this.id}/acks`
      this.#write({ cmd: 'subscribe', messageId: 65_535, subscriptions: [{ topic, qos: 0 }] })
    }
    const open = this.#open
    if (isPresent) {
      for (const [packetId, message] of open) this.#publish(packetId, message, true)
      for (const messageId of this.#released) this.#write({ cmd: 'pubrel', messageId })
    } else {
      this.#open = new Map()
      this.#released = new Set()
      for (const { items } of open.values()) for (const item of items) this.#kept.set(item, null)
    }
    this.#send()
  }

  #onPubrec(packetId: number, reason: number): void {
    this.#answered(packetId, reason)
    // [MQTT 5, 4.3.3]
    if (reason >= 0x80) return
    this.#released.add(packetId)
    this.#write({ cmd: 'pubrel', messageId: packetId })
  }

  #answered(packetId: number, reason: number): void {
    const { checker, tell } = this.#world
    const message = this.#open.get(packetId)
    tell?.(this.id, `${this.#link?.name} answers ${packetId} with ${reason}`)
    checker.pubacked(this.#link?.name ?? '', packetId)
    if (message === undefined) return
    this.#open.delete(packetId)
    for (const item of message.items) this.#kept.delete(item)
    const fates = new Set(message.items.map(({ fate }) => fate))
    const isRefusal = reason >= 0x80
    if (this.#options.version < 5 || fates.has('either')) return
    if (isRefusal === fates.has('stored')) {
      checker.violations.push(`reason code ${reason} for ${message.payload}`)
    }
  }

  #send(): void {
    if (!this.#isReady) return
    const { timeline, random } = this.#world
    const { qos, maxArray, maxInFlight } = this.#options
    const isDue = (sentMs: number | null) =>
      sentMs === null || (qos === 0 && timeline.nowMs - sentMs >= RESEND_MS)
    const due = [...this.#kept].filter(([, sentMs]) => isDue(sentMs)).map(([item]) => item)
    for (const message of packMessages(random, due, maxArray)) {
      if (this.#open.size >= maxInFlight) return
      for (const item of message.items) this.#kept.set(item, timeline.nowMs)
      if (qos > 0) this.#open.set(++this.#lastId, message)
      this.#publish(this.#lastId, message, false)
    }
  }

  #publish(packetId: number, { items, payload }: Message, dup: boolean): void {
    const { checker, tell } = this.#world
    const { qos } = this.#options
    const name = this.#link?.name ?? ''
    const payloads = items.map((item) => item.payload)
    for (const item of items) checker.sent(item)
    if (qos > 0) checker.delivered(name, { packetId, deviceId: this.id, payloads })
    tell?.(this.id, `${name} → ${packetId}${dup ? ' DUP' : ''} QoS ${qos} ${payload}`)
    const packet: IPublishPacket = {
      ...{ cmd: 'publish', topic: `qs/v1/${this.id}/events`, payload, qos, dup, retain: false },
      ...(qos > 0 && { messageId: packetId }),
    }
    this.#write(packet)
  }

  #willPacket({ payload }: Item): NonNullable<IConnectPacket['will']> {
    const { qos } = this.#options
    return { topic: `qs/v1/${this.id}/events`, payload: Buffer.from(payload), qos, retain: false }
  }

  #write(packet: Packet): void {
    this.#link?.send(generate(packet, { protocolVersion: this.#options.version }))
  }
}
