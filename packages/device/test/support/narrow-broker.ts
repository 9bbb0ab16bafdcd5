import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet'

export interface NarrowBrokerOptions {
  /** It disconnects a client that has more unanswered messages, as HiveMQ does with its default of 10. */
  readonly window: number
  /** Whether CONNACK says so. */
  readonly isAnnounced: boolean
  /** Closes the connection of a client with MQTT 5 without an answer. */
  readonly isOld?: boolean
  /** It ends the connection of a client that sends a larger payload, without a word. */
  readonly payloadBytes?: number
}

/** A broker and an ingester that stores everything: it answers one message per turn of the event loop. */
export async function startNarrowBroker({
  window,
  isAnnounced,
  isOld = false,
  payloadBytes = Number.POSITIVE_INFINITY,
}: NarrowBrokerOptions) {
  const versions: number[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    const reader = parser({ protocolVersion: 5 })
    let protocolVersion = 5
    const unanswered: IPublishPacket[] = []
    const send = (packet: Packet) => socket.write(generate(packet, { protocolVersion }))
    const answerOne = () => {
      const message = unanswered.shift()
      if (message === undefined || socket.destroyed) return
      send({ cmd: 'puback', messageId: message.messageId as number })
      const sent: unknown = JSON.parse(message.payload.toString())
      const acks = (Array.isArray(sent) ? sent : [sent]).map(({ event_id }) => ({
        ...{ event_id, status: 'stored', ts_server: '2026-11-23T18:00:00.123456Z' },
      }))
      const topic = message.topic.replace('events', 'acks')
      send({ cmd: 'publish', topic, payload: JSON.stringify(acks), qos: 0, dup: false, retain: false })
    }
    reader.on('packet', (packet) => {
      switch (packet.cmd) {
        case 'connect':
          protocolVersion = packet.protocolVersion ?? 5
          versions.push(protocolVersion)
          if (isOld && protocolVersion === 5) socket.end()
          else
            send({
              ...{ cmd: 'connack', reasonCode: 0, returnCode: 0, sessionPresent: false },
              ...(isAnnounced && { properties: { receiveMaximum: window } }),
            })
          break
        case 'subscribe':
          send({ cmd: 'suback', messageId: packet.messageId as number, granted: [1] })
          break
        case 'publish':
          if (packet.payload.length > payloadBytes) {
            socket.destroy()
            return
          }
          unanswered.push(packet)
          if (unanswered.length <= window) setImmediate(answerOne)
          else {
            send({ cmd: 'disconnect', reasonCode: 0x93 })
            socket.end()
          }
          break
      }
    })
    socket.on('data', (bytes) => socket.writable && reader.parse(bytes))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Of MQTT, of each connection. */
    versions,
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
