import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet'

/** One client connection to the broker, controlled by the test. */
export interface Peer {
  readonly connect: IConnectPacket
  /** All packets received after CONNECT, oldest first. */
  readonly received: readonly Packet[]
  send(...packets: readonly Packet[]): void
  /** For bytes that mqtt-packet would not write. */
  sendBytes(bytes: readonly number[]): void
  destroy(): void
}

export interface FakeBroker {
  readonly url: string
  readonly peers: readonly Peer[]
}

/** What the broker does on CONNECT, and on any other packet. */
export interface Manners {
  onConnect(peer: Peer): void
  onPacket(peer: Peer, packet: Packet): void
}

/** Answers with CONNACK and SUBACK, as any broker does. */
export const polite: Manners = {
  onConnect: (peer) => peer.send(connack()),
  onPacket: (peer, packet) => {
    if (packet.cmd === 'subscribe') peer.send(suback(packet.messageId ?? 0))
  },
}

export const connack = (sessionPresent = false, receiveMaximum?: number): Packet => ({
  cmd: 'connack',
  reasonCode: 0,
  returnCode: 0,
  sessionPresent,
  ...(receiveMaximum !== undefined && { properties: { receiveMaximum } }),
})

export const suback = (messageId: number): Packet => ({ cmd: 'suback', messageId, granted: [1] })

export const publish = (messageId: number, payload = 'x', dup = false): Packet => ({
  cmd: 'publish',
  topic: 'qs/v1/dev-1/events',
  payload,
  qos: 1,
  dup,
  retain: false,
  messageId,
})

/** A broker with the given behaviour, on its own port; closed after the test. */
export async function fakeBroker(t: TestContext, manners: Partial<Manners> = {}): Promise<FakeBroker> {
  const { onConnect, onPacket } = { ...polite, ...manners }
  const peers: Peer[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    const reader = parser({ protocolVersion: 5 })
    const received: Packet[] = []
    let peer: Peer | null = null
    reader.on('packet', (packet) => {
      if (peer !== null) {
        received.push(packet)
        onPacket(peer, packet)
        return
      }
      if (packet.cmd !== 'connect') throw new Error(`${packet.cmd} before CONNECT`)
      const protocolVersion = packet.protocolVersion ?? 5
      peer = {
        connect: packet,
        received,
        send: (...packets) => {
          socket.write(Buffer.concat(packets.map((each) => generate(each, { protocolVersion }))))
        },
        sendBytes: (bytes) => {
          socket.write(Buffer.from(bytes))
        },
        destroy: () => socket.destroy(),
      }
      peers.push(peer)
      onConnect(peer)
    })
    socket.on('data', (chunk) => reader.parse(chunk))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, peers }
}
