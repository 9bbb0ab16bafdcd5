import { once } from 'node:events'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet'
import type { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts'

/** An MQTT 5 client that sends anything, valid or not, and answers nothing by itself. */
export interface RawClient {
  /** Packets from the broker, oldest first. */
  readonly got: readonly Packet[]
  readonly isClosed: boolean
  /** Bytes not yet accepted by the network. */
  readonly unsentBytes: number
  send(...packets: readonly (Packet | Buffer)[]): void
  /** Waits for this many packets of the kind. */
  wait<C extends Packet['cmd']>(cmd: C, count?: number): Promise<readonly Extract<Packet, { cmd: C }>[]>
  waitClosed(): Promise<void>
  pause(): void
  resume(): void
  /** Ends its sending side. */
  end(): void
  destroy(): void
}

export const v5 = { protocolVersion: 5 } as const

export function rawClient(t: TestContext, broker: EmbeddedBroker): RawClient {
  const socket = connect(broker.port, '127.0.0.1')
  const got: Packet[] = []
  const reader = parser(v5)
  let isClosed = false
  reader.on('packet', (packet) => got.push(packet))
  reader.on('error', () => {})
  socket.on('data', (chunk) => reader.parse(chunk))
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
  })
  t.after(() => socket.destroy())
  const of = <C extends Packet['cmd']>(cmd: C) =>
    got.filter((packet): packet is Extract<Packet, { cmd: C }> => packet.cmd === cmd)
  return {
    got,
    get isClosed() {
      return isClosed
    },
    get unsentBytes() {
      return socket.writableLength
    },
    send: (...packets) => {
      socket.write(Buffer.concat(packets.map((each) => (Buffer.isBuffer(each) ? each : generate(each, v5)))))
    },
    wait: async (cmd, count = 1) => {
      await until(() => of(cmd).length >= count, `${count} ${cmd}`)
      return of(cmd)
    },
    waitClosed: async () => {
      if (!isClosed) await once(socket, 'close')
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  }
}

export function connectPacket(options: Partial<IConnectPacket> = {}): IConnectPacket {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 5,
    clientId: '',
    clean: true,
    keepalive: 0,
    ...options,
  }
}

export function publishPacket(messageId: number, payload: string | Buffer = 'x', qos: 0 | 1 | 2 = 1): Packet {
  return { cmd: 'publish', topic: 't', payload, qos, dup: false, retain: false, messageId }
}

/** A connected raw client. */
export async function connectedRaw(
  t: TestContext,
  broker: EmbeddedBroker,
  options: Partial<IConnectPacket> = {},
): Promise<RawClient> {
  const client = rawClient(t, broker)
  client.send(connectPacket(options))
  await client.wait('connack')
  return client
}
