import type { Duplex } from 'node:stream'
import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from 'mqtt-packet'
import { BrokerSession, type QueuedMessage } from './broker-session.ts'
import { Link } from './link.ts'
import type { World } from './world.ts'

/** How a broker may differ from others. */
export interface BrokerManners {
  readonly speaksMqtt5: boolean
  /** Sends more than Receive Maximum allows, as Mosquitto 2.0.11 does. */
  readonly overshoots: boolean
}

/** A broker that speaks real MQTT over simulated links, with one session for each ingester. */
export class Broker {
  isAway = false
  /** The largest payload so far. */
  largestBytes = 0
  readonly links = new Set<Link>()
  readonly #world: World
  readonly #manners: BrokerManners
  readonly #sessions = new Map<string, BrokerSession>()
  readonly #onPublish: (topic: string, payload: string) => void
  #stored: (() => void)[] = []
  #connections = 0
  #turn = 0

  constructor(world: World, manners: BrokerManners, onPublish: (topic: string, payload: string) => void) {
    this.#world = world
    this.#manners = manners
    this.#onPublish = onPublish
  }

  get isIdle(): boolean {
    return [...this.#sessions.values()].every(
      ({ queue, inFlight }) => queue.length === 0 && inFlight.size === 0,
    )
  }

  /** A device publishes: one session gets the message, as with a shared subscription. */
  take(message: QueuedMessage): void {
    this.largestBytes = Math.max(this.largestBytes, message.payload.length)
    const subscribed = [...this.#sessions.values()].filter((session) => session.isSubscribed)
    const session = subscribed[this.#turn++ % subscribed.length]
    if (session === undefined || (message.qos === 0 && session.link === null)) return
    session.queue.push(message)
    this.#fill(session)
  }

  connect(): Duplex | null {
    if (this.isAway) return null
    const name = `c${++this.#connections}`
    const options = { protocolVersion: 5 }
    const reader = parser(options)
    let session: BrokerSession | null = null
    const link = new Link(name, this.#world, {
      onBytes: (bytes) => reader.parse(bytes),
      onClose: () => {
        this.links.delete(link)
        if (session?.link === link) session.link = null
      },
    })
    this.links.add(link)
    reader.on('packet', (packet) => {
      if (packet.cmd === 'connect') {
        options.protocolVersion = packet.protocolVersion ?? 5
        session = this.#onConnect(link, packet)
      } else if (session?.link === link) this.#onPacket(link, session, packet)
    })
    return link.socket
  }

  /** Breaks all connections and restores the state that the disk held. */
  restart(restore: 'all' | 'snapshot' | 'nothing'): void {
    for (const link of this.links) link.cut()
    if (restore === 'all') return
    for (const session of this.#sessions.values()) session.lose()
    if (restore === 'snapshot') for (const put of this.#stored) put()
  }

  /** Saves its store. */
  save(): void {
    this.#stored = [...this.#sessions.values()].map((session) => session.snapshot())
  }

  #onConnect(link: Link, packet: IConnectPacket): BrokerSession | null {
    const version = packet.protocolVersion === 5 ? 5 : 4
    if (version === 5 && !this.#manners.speaksMqtt5) {
      link.send(generate({ cmd: 'connack', returnCode: 1, sessionPresent: false }, { protocolVersion: 4 }))
      link.close()
      return null
    }
    const sessionPresent = this.#sessions.has(packet.clientId)
    const session = this.#sessions.get(packet.clientId) ?? new BrokerSession()
    this.#sessions.set(packet.clientId, session)
    const isResumed = sessionPresent && session.isSubscribed
    session.link?.close()
    session.link = link
    session.protocolVersion = version
    const asked = packet.properties?.receiveMaximum ?? 20
    session.window = this.#manners.overshoots ? asked * 3 : asked
    this.#world.tell?.('broker', `${packet.clientId} on ${link.name}, session present: ${isResumed}`)
    this.#send(session, { cmd: 'connack', reasonCode: 0, returnCode: 0, sessionPresent: isResumed })
    if (!isResumed) session.lose()
    for (const [packetId, message] of session.inFlight) this.#sendMessage(session, packetId, message, true)
    this.#fill(session)
    return session
  }

  #onPacket(link: Link, session: BrokerSession, packet: Packet): void {
    switch (packet.cmd) {
      case 'subscribe':
        session.isSubscribed = true
        this.#send(session, { cmd: 'suback', messageId: packet.messageId ?? 0, granted: [1] })
        this.#fill(session)
        return
      case 'puback':
        this.#world.checker.pubacked(link.name, packet.messageId ?? 0)
        session.inFlight.delete(packet.messageId ?? 0)
        this.#fill(session)
        return
      case 'publish':
        this.#onPublishPacket(session, packet)
        return
      case 'pingreq':
        this.#send(session, { cmd: 'pingresp' })
        return
      default:
        link.close()
        this.links.delete(link)
        session.link = null
    }
  }

  #onPublishPacket(session: BrokerSession, packet: IPublishPacket): void {
    if (packet.qos === 1) this.#send(session, { cmd: 'puback', messageId: packet.messageId ?? 0 })
    this.#onPublish(packet.topic, packet.payload.toString())
  }

  #fill(session: BrokerSession): void {
    while (session.link !== null && session.isSubscribed && session.inFlight.size < session.window) {
      const message = session.queue.shift()
      if (message === undefined) return
      const packetId = message.qos === 1 ? session.nextPacketId() : 0
      if (message.qos === 1) session.inFlight.set(packetId, message)
      this.#sendMessage(session, packetId, message, false)
    }
  }

  #sendMessage(session: BrokerSession, packetId: number, message: QueuedMessage, dup: boolean): void {
    const { topic, payload, qos, deviceId, elements } = message
    const { link } = session
    if (link === null) return
    const { checker, tell } = this.#world
    if (qos === 1) checker.delivered(link.name, { packetId, deviceId, payloads: elements })
    tell?.('broker', `${link.name} ← ${packetId}${dup ? ' DUP' : ''} ${topic} ${elements.join(' , ')}`)
    this.#send(session, {
      cmd: 'publish',
      topic,
      payload,
      qos,
      dup,
      retain: false,
      ...(qos === 1 && { messageId: packetId }),
    })
  }

  #send({ link, protocolVersion }: BrokerSession, packet: Packet): void {
    link?.send(generate(packet, { protocolVersion }))
  }
}
