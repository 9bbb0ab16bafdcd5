import { connect, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'

/**
 * A publisher and a listener that cost little: the machine is for what is measured. Packets are encoded by hand,
 * gathered into large writes, and at most `window` of them are unanswered.
 */
export class MqttLoad {
  readonly #socket: Socket
  readonly #waiters = new Map<string, () => void>()
  #onPublish: (payload: Buffer) => void = () => {}
  #unanswered = 0
  #packetId = 0
  #onRoom: (() => void) | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    const packets = parser({ protocolVersion: 4 })
    packets.on('packet', (packet) => this.#receive(packet))
    socket.on('data', (chunk: Buffer) => packets.parse(chunk))
  }

  static async connect(port: number, clientId: string): Promise<MqttLoad> {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    const load = new MqttLoad(socket)
    load.#send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean: true, keepalive: 0 })
    await load.#until('connack')
    return load
  }

  async subscribe(topic: string, onPublish: (payload: Buffer) => void): Promise<void> {
    this.#onPublish = onPublish
    this.#send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] })
    await this.#until('suback')
  }

  /** Publishes all with QoS 1 and settles when the broker has answered the last. */
  async publish(messages: Iterable<readonly [topic: string, payload: string]>, window: number): Promise<void> {
    let chunk: Buffer[] = []
    for (const [topic, payload] of messages) {
      chunk.push(this.#encode(topic, payload))
      this.#unanswered++
      if (chunk.length === 64 || this.#unanswered >= window) {
        this.#socket.write(Buffer.concat(chunk))
        chunk = []
      }
      if (this.#unanswered >= window) await this.#room(window >> 1)
    }
    this.#socket.write(Buffer.concat(chunk))
    await this.#room(0)
  }

  close(): void {
    this.#socket.destroy()
  }

  #encode(topic: string, payload: string): Buffer {
    this.#packetId = (this.#packetId % 65_535) + 1
    return encodePublish(topic, payload, this.#packetId)
  }

  async #room(unanswered: number): Promise<void> {
    while (this.#unanswered > unanswered) await new Promise<void>((resolve) => (this.#onRoom = resolve))
  }

  #receive(packet: Packet): void {
    if (packet.cmd === 'publish') this.#onPublish(packet.payload as Buffer)
    else if (packet.cmd === 'puback') {
      this.#unanswered--
      this.#onRoom?.()
    } else this.#waiters.get(packet.cmd)?.()
  }

  #send(packet: Packet): void {
    this.#socket.write(generate(packet))
  }

  #until(cmd: string): Promise<void> {
    return new Promise((resolve) => this.#waiters.set(cmd, resolve))
  }
}

/** PUBLISH of MQTT 3.1.1 with QoS 1 [section 3.3]. */
function encodePublish(topic: string, payload: string, packetId: number): Buffer {
  const topicBytes = Buffer.byteLength(topic)
  const length = 2 + topicBytes + 2 + Buffer.byteLength(payload)
  const digits: number[] = []
  for (let rest = length; rest > 0; rest >>= 7) digits.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
  const packet = Buffer.allocUnsafe(1 + digits.length + length)
  let at = 0
  packet[at++] = 0x32
  for (const digit of digits) packet[at++] = digit
  at = packet.writeUInt16BE(topicBytes, at)
  at += packet.write(topic, at)
  at = packet.writeUInt16BE(packetId, at)
  packet.write(payload, at)
  return packet
}
