import { once } from 'node:events'
import { connect } from 'node:net'
import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from 'mqtt-packet'
import { until } from '../until.ts'

export type Version = 4 | 5
export type Qos = 0 | 1 | 2

export interface ClientOptions extends Partial<IConnectPacket> {
  /** Sends no automatic answers: no PUBACK, no PUBREC, no PUBCOMP. */
  readonly silent?: true
}

type Of<C extends Packet['cmd']> = Extract<Packet, { cmd: C }>

/** A client on a raw socket, so that both brokers get the same bytes. */
export class Client {
  readonly #socket
  readonly #version: Version
  readonly #isSilent: boolean
  /** What the broker sent, oldest first. */
  readonly got: Packet[] = []
  readonly #chunks: Buffer[] = []
  isClosed = false
  #lastPacketId = 0

  constructor(port: number, version: Version, isSilent: boolean) {
    this.#version = version
    this.#isSilent = isSilent
    this.#socket = connect(port, '127.0.0.1')
    const reader = parser({ protocolVersion: version })
    reader.on('packet', (packet) => this.#receive(packet))
    reader.on('error', () => this.#socket.destroy())
    this.#socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      reader.parse(chunk)
    })
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.isClosed = true
    })
  }

  of<C extends Packet['cmd']>(cmd: C): readonly Of<C>[] {
    return this.got.filter((packet): packet is Of<C> => packet.cmd === cmd)
  }

  /** The same as bytes. */
  bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** Waits for this many packets and returns the last one. */
  async wait<C extends Packet['cmd']>(cmd: C, count = 1): Promise<Of<C>> {
    return until(() => this.of(cmd)[count - 1], `${count} ${cmd}`)
  }

  send(...packets: readonly Packet[]): void {
    for (const packet of packets) this.#socket.write(generate(packet, { protocolVersion: this.#version }))
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  nextPacketId(): number {
    return ++this.#lastPacketId
  }

  async subscribe(topics: Readonly<Record<string, Qos>>, options: object = {}): Promise<void> {
    const before = this.of('suback').length
    this.send({
      cmd: 'subscribe',
      messageId: this.nextPacketId(),
      subscriptions: Object.entries(topics).map(([topic, qos]) => ({ topic, qos, ...options })),
    })
    await this.wait('suback', before + 1)
  }

  /** Resolves when the broker has it: for QoS 0, by a PINGRESP after it. */
  async publish(topic: string, payload: string, options: Partial<IPublishPacket> = {}): Promise<void> {
    const qos = options.qos ?? 0
    const answer = qos === 0 ? 'pingresp' : qos === 1 ? 'puback' : 'pubcomp'
    const before = this.of(answer).length
    const messageId = this.nextPacketId()
    this.send({ cmd: 'publish', topic, payload, dup: false, retain: false, messageId, ...options, qos })
    if (qos === 0) this.send({ cmd: 'pingreq' })
    await this.wait(answer, before + 1)
  }

  /** The messages received before a marker that is published now: anything not received by then never arrives. */
  async payloadsBefore(publisher: Client, marker: string): Promise<readonly IPublishPacket[]> {
    await publisher.publish(marker, 'marker', { qos: 1 })
    await until(() => this.of('publish').some(({ topic }) => topic === marker), 'the marker')
    return this.of('publish').filter(({ topic }) => topic !== marker)
  }

  async disconnect(options: object = {}): Promise<void> {
    this.send({ cmd: 'disconnect', ...options } as Packet)
    this.#socket.end()
    if (!this.isClosed) await once(this.#socket, 'close')
  }

  /** Without DISCONNECT. */
  async vanish(): Promise<void> {
    if (this.isClosed) return
    const closed = once(this.#socket, 'close')
    this.#socket.destroy()
    await closed
  }

  async closed(timeoutMs?: number): Promise<void> {
    await until(() => this.isClosed, 'the broker closes the connection', timeoutMs)
  }

  #receive(packet: Packet): void {
    this.got.push(packet)
    if (this.#isSilent) return
    if (packet.cmd === 'publish' && packet.qos === 1) this.#answer('puback', packet)
    if (packet.cmd === 'publish' && packet.qos === 2) this.#answer('pubrec', packet)
    if (packet.cmd === 'pubrec') this.#answer('pubrel', packet)
    if (packet.cmd === 'pubrel') this.#answer('pubcomp', packet)
  }

  #answer(
    cmd: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
    { messageId }: { messageId?: number | undefined },
  ) {
    this.send({ cmd, messageId: messageId ?? 0 } as Packet)
  }
}
