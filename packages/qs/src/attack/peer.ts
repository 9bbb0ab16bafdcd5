import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet'
import { isLoopback } from '../endpoints/loopback.ts'
import { QsError } from '../errors/qs-error.ts'

export interface PeerOptions {
  readonly url: string
  readonly ca: Buffer | null
  readonly clientId: string
  /** Longest time that a device may wait for the servers. */
  readonly maxWaitMs: number
  readonly username?: string
  readonly password?: string
  readonly will?: IConnectPacket['will']
  /** Sent instead of CONNECT. */
  readonly firstBytes?: Buffer
}

/** Longest wait for a packet, unless a device may wait longer. */
const PATIENCE_MS = 5_000
/**
 * Source address of the attacks if the broker is on this machine: limits per address then do not affect the honest
 * device, as on a network. Linux accepts all of 127.0.0.0/8.
 */
const ATTACKER_ADDRESS = '127.0.0.66'

/** An MQTT 3.1.1 connection that sends anything, valid or not, and answers nothing by itself. */
export interface Peer {
  readonly isClosed: boolean
  /** Bytes not yet handed to the network. */
  readonly unsentBytes: number
  send(...packets: readonly (Packet | Buffer)[]): void
  /** The next packet of this kind. @throws Error after 5 seconds or `maxWaitMs`, or when the connection closes */
  next<C extends Packet['cmd']>(cmd: C): Promise<Extract<Packet, { cmd: C }>>
  /** @returns whether the connection closed within the time */
  closed(timeoutMs: number): Promise<boolean>
  /** Stops reading. */
  pause(): void
  destroy(): void
}

export function openPeer(options: PeerOptions): Peer {
  const socket = openSocket(options)
  const got: Packet[] = []
  const reader = parser({ protocolVersion: 4 })
  let wake = () => {}
  let isClosed = false
  reader.on('packet', (packet) => {
    got.push(packet)
    wake()
  })
  reader.on('error', () => socket.destroy())
  socket.on('data', (chunk) => reader.parse(chunk))
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
    wake()
  })
  const send = (...packets: readonly (Packet | Buffer)[]) => {
    for (const each of packets) socket.write(Buffer.isBuffer(each) ? each : generate(each))
  }
  send(options.firstBytes ?? connectPacket(options))

  const take = <C extends Packet['cmd']>(cmd: C): Extract<Packet, { cmd: C }> | null => {
    const index = got.findIndex((packet) => packet.cmd === cmd)
    return index < 0 ? null : (got.splice(index, 1)[0] as Extract<Packet, { cmd: C }>)
  }
  const changed = (untilMs: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, untilMs - performance.now()))
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  return {
    get isClosed() {
      return isClosed
    },
    get unsentBytes() {
      return socket.writableLength
    },
    send,
    next: async (cmd) => {
      const patienceMs = Math.max(PATIENCE_MS, options.maxWaitMs)
      const untilMs = performance.now() + patienceMs
      for (;;) {
        const packet = take(cmd)
        if (packet !== null) return packet
        if (isClosed) throw noAnswer(`the broker closed the connection before ${cmd.toUpperCase()}`)
        if (performance.now() >= untilMs)
          throw noAnswer(`no ${cmd.toUpperCase()} within ${patienceMs / 1000} s`)
        await changed(untilMs)
      }
    },
    closed: async (timeoutMs) => {
      const untilMs = performance.now() + timeoutMs
      while (!isClosed && performance.now() < untilMs) await changed(untilMs)
      return isClosed
    },
    pause: () => socket.pause(),
    destroy: () => socket.destroy(),
  }
}

function openSocket({ url, ca }: PeerOptions): Socket {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isTls = protocol === 'mqtts:'
  const place = {
    host,
    port: Number(port || (isTls ? 8883 : 1883)),
    ...(process.platform === 'linux' &&
      isLoopback(host) &&
      host !== '::1' && { localAddress: ATTACKER_ADDRESS }),
  }
  return isTls ? connectTls({ ...place, ...(ca !== null && { ca }), servername: host }) : connectTcp(place)
}

function connectPacket({ clientId, username, password, will }: PeerOptions): Packet {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId,
    clean: true,
    keepalive: 60,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password: Buffer.from(password) }),
    ...(will && { will }),
  }
}

export function publish(topic: string, payload: string | Buffer, qos: 0 | 1 | 2 = 1, messageId = 1): Packet {
  return { cmd: 'publish', topic, payload, qos, dup: false, retain: false, ...(qos > 0 && { messageId }) }
}

export function subscribe(topic: string, qos: 0 | 1 | 2 = 0, messageId = 60_000): Packet {
  return { cmd: 'subscribe', messageId, subscriptions: [{ topic, qos }] }
}

function noAnswer(problem: string): QsError {
  return new QsError('BROKER_NO_ANSWER', problem)
}
