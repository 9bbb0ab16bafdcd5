import { connect, type Socket } from 'node:net'
import { generate, type Packet } from 'mqtt-packet'
import { CONNACK, PacketReader, PUBACK, PUBLISH, SUBACK } from './packet-reader.ts'

export interface MqttLoadOptions {
  readonly port: number
  readonly clientId: string
  /** Called once if the connection ends without `close()`. */
  readonly onLost: (reason: Error) => void
  readonly onPublish?: (payload: Buffer) => void
  readonly onPuback?: (packetId: number) => void
}

const CONNECT_TIMEOUT_MS = 5_000
const CHUNK_BYTES = 64 * 1024

/**
 * A cheap MQTT 3.1.1 connection, which leaves the CPU to what is measured. PUBLISH packets are encoded by hand and
 * gathered into large writes; `flush()` sends the rest.
 */
export class MqttLoad {
  readonly #options: MqttLoadOptions
  readonly #socket: Socket
  readonly #waiters = new Map<number, (body: Buffer) => void>()
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  #chunkBytes = 0
  #packetId = 0
  #pubacks = 0
  #wakeAt = Number.POSITIVE_INFINITY
  #wake: () => void = () => {}
  #isClosed = false

  private constructor(socket: Socket, options: MqttLoadOptions) {
    this.#socket = socket
    this.#options = options
    const reader = new PacketReader((type, body) => this.#receive(type, body))
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => reader.feed(chunk))
    socket.on('error', (error) => this.#lose(error))
    socket.on('close', () => this.#lose(new Error('the broker closed it')))
  }

  static async connect(options: MqttLoadOptions): Promise<MqttLoad> {
    const load = new MqttLoad(connect(options.port, '127.0.0.1'), options)
    const { clientId } = options
    const connack = load.#answer(CONNACK)
    load.#send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId,
      clean: true,
      keepalive: 0,
    })
    const code = (await connack)[1]
    if (code !== 0) throw new Error(`the broker refused ${clientId} with return code ${code}`)
    return load
  }

  /** QoS 1 messages that the broker has answered. */
  get pubacks(): number {
    return this.#pubacks
  }

  async subscribe(topic: string): Promise<void> {
    const suback = this.#answer(SUBACK)
    this.#send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] })
    if ((await suback)[2] === 0x80) throw new Error(`the broker refused the subscription of ${topic}`)
  }

  /** Queues a message of QoS 1. False: the socket is full, continue at `onceDrained()`. */
  publish(topic: string, payload: string): boolean {
    this.#packetId = (this.#packetId % 65_535) + 1
    const packet = { topic, payload, packetId: this.#packetId }
    const mostBytes = 9 + 3 * (topic.length + payload.length)
    if (this.#chunkBytes + mostBytes > CHUNK_BYTES) this.flush()
    if (mostBytes > CHUNK_BYTES) {
      const own = Buffer.allocUnsafe(mostBytes)
      this.#socket.write(own.subarray(0, writePublish(own, 0, packet)))
    } else this.#chunkBytes = writePublish(this.#chunk, this.#chunkBytes, packet)
    return !this.#socket.writableNeedDrain
  }

  flush(): void {
    if (this.#chunkBytes === 0) return
    this.#socket.write(Buffer.from(this.#chunk.subarray(0, this.#chunkBytes)))
    this.#chunkBytes = 0
  }

  /** Calls back when the socket takes more. */
  onceDrained(resume: () => void): void {
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', resume)
    else resume()
  }

  /** Calls back when the broker has answered this many messages in total. */
  oncePubacked(count: number, resume: () => void): void {
    if (this.#pubacks >= count) return resume()
    this.#wakeAt = count
    this.#wake = resume
  }

  close(): void {
    this.#isClosed = true
    this.#socket.destroy()
  }

  #receive(type: number, body: Buffer): void {
    // All subscriptions have QoS 0: the payload follows the topic directly [MQTT 3.1.1, 3.3.2].
    if (type === PUBLISH) this.#options.onPublish?.(body.subarray(2 + body.readUInt16BE(0)))
    else if (type === PUBACK) this.#puback(body)
    else this.#waiters.get(type)?.(body)
  }

  #puback(body: Buffer): void {
    this.#options.onPuback?.(body.readUInt16BE(0))
    if (++this.#pubacks < this.#wakeAt) return
    this.#wakeAt = Number.POSITIVE_INFINITY
    this.#wake()
  }

  #send(packet: Packet): void {
    this.#socket.write(generate(packet))
  }

  #lose(reason: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.destroy()
    const { clientId, onLost } = this.#options
    onLost(new Error(`the connection of ${clientId} to the broker ended: ${reason.message}`))
  }

  async #answer(type: number): Promise<Buffer> {
    const { clientId } = this.#options
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`the broker did not answer ${clientId}`))
      const timer = setTimeout(late, CONNECT_TIMEOUT_MS)
      this.#waiters.set(type, (body) => {
        clearTimeout(timer)
        resolve(Buffer.from(body))
      })
    })
  }
}

interface Publish {
  readonly topic: string
  readonly payload: string
  readonly packetId: number
}

/** Writes a PUBLISH of MQTT 3.1.1 with QoS 1 [section 3.3]. Returns its end. */
function writePublish(buffer: Buffer, start: number, { topic, payload, packetId }: Publish): number {
  const topicBytes = Buffer.byteLength(topic)
  let at = start
  buffer[at++] = 0x32
  let rest = 2 + topicBytes + 2 + Buffer.byteLength(payload)
  do {
    buffer[at++] = (rest & 0x7f) | (rest > 0x7f ? 0x80 : 0)
    rest >>= 7
  } while (rest > 0)
  at = buffer.writeUInt16BE(topicBytes, at)
  at += buffer.write(topic, at)
  at = buffer.writeUInt16BE(packetId, at)
  return at + buffer.write(payload, at)
}
