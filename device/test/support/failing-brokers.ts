import { once } from 'node:events'
import { createServer, connect as openSocket, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { generate, type Packet, parser } from 'mqtt-packet'

interface SentEvent {
  readonly event_id: string
  readonly meta?: { readonly bad?: boolean }
}

/** A broker that refuses a message with a bad event without naming it, or every message with more than one event. */
export async function startRefusingBroker(t: TestContext, code: string) {
  const stored = new Set<number>()
  const answer = (events: readonly SentEvent[]) => {
    const ids = events.map(({ event_id: id }) => id)
    const refuse = (id: string | null) => ({ event_id: id, status: 'rejected', error: { code, message: '' } })
    if (code === 'TOO_MANY_EVENTS' && ids.length > 1) return ids.map(refuse)
    if (code === 'INVALID_JSON' && events.some(({ meta }) => meta?.bad)) return refuse(null)
    for (const id of ids) stored.add(Number(id.slice(-10)))
    return ids.map((id) => ({ event_id: id, status: 'stored' }))
  }
  const server = createServer((socket) => {
    const send = (packet: Packet) => socket.write(generate(packet))
    const packets = parser()
    socket.on('data', (bytes: Buffer) => packets.parse(bytes))
    packets.on('packet', (packet) => {
      if (packet.cmd === 'connect') send({ cmd: 'connack', returnCode: 0, sessionPresent: false })
      if (packet.cmd === 'subscribe') send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [0] })
      if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' })
      if (packet.cmd !== 'publish') return
      const payload = JSON.stringify(answer(JSON.parse(packet.payload.toString())))
      send({ cmd: 'publish', topic: 'acks', payload, qos: 0, dup: false, retain: false })
    })
  })
  return { port: await listen(t, server), stored: () => [...stored].sort((one, other) => one - other) }
}

const FAULTS = ['reset', 'lost answers', 'frozen'] as const

/** A proxy to a broker: nine connections fail, each after so many more bytes, in one of three ways; the later ones work. */
export async function startFaultyProxy(t: TestContext, target: number) {
  let connections = 0
  let faults = 0
  const server = createServer((device) => {
    const broker = openSocket(target, '127.0.0.1')
    const turn = connections++
    const fault = FAULTS[turn % 3]
    let left = turn < 9 ? 60 + 700 * turn : Number.POSITIVE_INFINITY
    for (const [from, to] of [
      [device, broker],
      [broker, device],
    ] as const) {
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
      from.on('data', (bytes: Buffer) => {
        const isWhole = fault === 'lost answers' && from === device
        if (isWhole) to.write(bytes)
        else if (left > 0) to.write(bytes.subarray(0, left))
        if (left > 0 && left <= bytes.length) {
          faults++
          if (fault === 'reset') device.resetAndDestroy()
        }
        left -= bytes.length
      })
    }
  })
  return { port: await listen(t, server), faults: () => faults }
}

/** Resolves with the port; ends with its connections after the test. */
export async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => socket.destroy())))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
