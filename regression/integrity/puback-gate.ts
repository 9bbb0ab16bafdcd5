import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

const PUBACK = 4

/**
 * Between ingester and broker: passes everything, and while it is closed no PUBACK of the ingester, which then is
 * never heard of. So a kill after a device ack and before its PUBACK is no matter of luck.
 */
export class PubackGate {
  /** Events that a closed gate has kept from the broker are redelivered at the next connection. */
  isClosed = false

  /** Listens, and gives the URL for the ingester. */
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

/** Length of the first packet, null where it is not whole yet. [MQTT-2.1.4] */
function packetBytes(bytes: Buffer): number | null {
  let length = 0
  for (let at = 1; at < 5 && at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    length += (byte & 127) * 128 ** (at - 1)
    if (byte < 128) return bytes.length > at + length ? at + 1 + length : null
  }
  return null
}
