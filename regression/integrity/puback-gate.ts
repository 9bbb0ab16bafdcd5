import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

const PUBACK = 4

/**
 * A proxy between ingester and broker that passes everything but, while closed, drops the ingester's PUBACKs. A kill
 * between a device ack and its PUBACK thus does not depend on luck.
 */
export class PubackGate {
  /** Messages whose PUBACK a closed gate has dropped are redelivered on the next connection. */
  isClosed = false

  /** Listens and returns the URL for the ingester. */
  async listen(t: TestContext, brokerUrl: string): Promise<string> {
    const broker = new URL(brokerUrl)
    const sockets = new Set<Socket>()
    const server = createServer((ingester) => {
      const upstream = connect(Number(broker.port), broker.hostname)
      this.#join(ingester, upstream)
      sockets.add(ingester).add(upstream)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  #join(ingester: Socket, broker: Socket): void {
    broker.pipe(ingester)
    let rest: Buffer = Buffer.alloc(0)
    ingester.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      for (let bytes = packetBytes(rest); bytes !== null; bytes = packetBytes(rest)) {
        const packet = rest.subarray(0, bytes)
        rest = rest.subarray(bytes)
        if (!this.isClosed || (packet[0] ?? 0) >> 4 !== PUBACK) broker.write(packet)
      }
    })
    ingester.on('close', () => broker.destroy())
    broker.on('close', () => ingester.destroy())
    for (const socket of [ingester, broker]) socket.on('error', () => {})
  }
}

/** Length of the first packet; null if it is not complete yet. [MQTT-2.1.4] */
function packetBytes(bytes: Buffer): number | null {
  let length = 0
  for (let at = 1; at < 5 && at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    length += (byte & 127) * 128 ** (at - 1)
    if (byte < 128) return bytes.length > at + length ? at + 1 + length : null
  }
  return null
}
