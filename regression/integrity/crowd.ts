import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { generate, type Packet } from 'mqtt-packet'
import { PacketReader } from '../../bench/load/packet-reader.ts'
import { PINGRESP, PUBACK } from '../../packages/qs/src/mqtt/packet-types.ts'
import type { Item } from './item.ts'

const CONNECTING = 200

/** Thousands of plain connections of MQTT 3.1.1, each a device; only their answers are counted. */
export class Crowd {
  readonly #sockets: Socket[] = []
  pubacks = 0
  pingresps = 0
  closed = 0

  /** Resolves when all are connected. */
  static async open(t: TestContext, { port, devices }: { readonly port: number; readonly devices: number }) {
    const crowd = new Crowd()
    t.after(() => crowd.close())
    for (let n = 0; n < devices; n += CONNECTING) {
      const some = Array.from({ length: Math.min(CONNECTING, devices - n) }, (_, k) =>
        crowd.#connect(port, n + k),
      )
      await Promise.all(some)
    }
    return crowd
  }

  deviceId(n: number): string {
    return `crowd-${n}`
  }

  get size(): number {
    return this.#sockets.length
  }

  publish(n: number, packetId: number, { deviceId, payload }: Item): void {
    const topic = `qs/v1/${deviceId}/events`
    this.#write(n, { cmd: 'publish', topic, payload, qos: 1, messageId: packetId, dup: false, retain: false })
  }

  ping(n: number): void {
    this.#write(n, { cmd: 'pingreq' })
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async #connect(port: number, n: number): Promise<void> {
    const socket = connect(port, '127.0.0.1')
    this.#sockets[n] = socket
    const reader = new PacketReader((type) => {
      if (type === PUBACK) this.pubacks++
      else if (type === PINGRESP) this.pingresps++
    })
    socket.on('data', (bytes: Buffer) => reader.feed(bytes))
    socket.on('error', () => {})
    socket.on('close', () => this.closed++)
    this.#write(n, {
      ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: this.deviceId(n) },
      ...{ clean: true, keepalive: 0 },
    })
    await once(socket, 'data')
  }

  #write(n: number, packet: Packet): void {
    this.#sockets[n]?.write(generate(packet))
  }
}
