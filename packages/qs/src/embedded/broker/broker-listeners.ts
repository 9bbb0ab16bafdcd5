import type { IncomingMessage } from 'node:http'
import { createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Log } from '../../telemetry/log.ts'
import type { ClientComplaints } from './client-complaints.ts'
import { ConnectionLimits, type ConnectionLimitsOptions } from './connection-limits.ts'
import { inProcessConnection } from './in-process.ts'
import { closeServer, listen } from './listen.ts'
import { guardPacketSize, type PacketTooLarge } from './packet-size-guard.ts'
import { whenProtocolIsKnown } from './protocol-level.ts'
import { webSocketServer } from './websocket-server.ts'

export interface BrokerListenersOptions {
  readonly host: string
  /** 0 picks a free port; the same holds for `wsPort`. */
  readonly port: number
  readonly wsPort: number
  /** Pages of other sites may connect. */
  readonly anyOrigin: boolean
  readonly maxPacketBytes: number
  readonly limits: ConnectionLimitsOptions
  readonly complaints: ClientComplaints
  readonly log: Log
  readonly onConnection: (connection: Arrived) => void
}

/** A connection whose protocol level is known and that nobody has read from. */
export interface Arrived {
  /** TCP, or the stream in a WebSocket. */
  readonly stream: Duplex
  /** Where bytes leave the process: the socket, also below a WebSocket. */
  readonly network: Duplex
  readonly level: number | null
  readonly request: IncomingMessage | undefined
  /** Ends the connection for a packet above the limit, from now on. */
  guard(refuse: (error: PacketTooLarge) => void): void
}

/** For CONNECT as a whole, from the first moment of a connection. */
const CONNECT_TIMEOUT_MS = 10_000
/**
 * Client id, user and password take some hundred bytes, and a will may hold a message. Anybody may send a CONNECT, and
 * each connection may make the broker hold one: with 16 MiB for it, 300 connections took 3 GB.
 */
const MAX_CONNECT_BYTES = 64 * 1024

/**
 * Everything before the login: the listeners, how many connections there may be, and what a stranger may make the
 * broker hold until CONNECT is complete.
 *
 * `listen` takes the ports, `open` lets clients in. In between, connections are closed at once: a client that got its
 * PUBACK before the ingester has subscribed would have published to nobody.
 */
export class BrokerListeners {
  readonly #options: BrokerListenersOptions
  readonly #limits: ConnectionLimits
  readonly #tcp = createServer({ noDelay: true }, (socket) => this.#arrive(socket, socket))
  readonly #webSocket: ReturnType<typeof webSocketServer>
  readonly #connections = new Set<Duplex>()
  #isOpen = false

  constructor(options: BrokerListenersOptions) {
    this.#options = options
    this.#limits = new ConnectionLimits(options.limits)
    this.#webSocket = webSocketServer({
      maxPacketBytes: options.maxPacketBytes,
      anyOrigin: options.anyOrigin,
      timeoutMs: CONNECT_TIMEOUT_MS,
      onConnection: (stream, request) => this.#arrive(stream, request.socket, request),
      onError: (error) => options.log.error(error, 'the embedded broker cannot accept connections'),
    })
    for (const server of [this.#tcp, this.#webSocket]) {
      server.prependListener('connection', (socket: Socket) => this.#admit(socket))
    }
  }

  get refused(): Pick<ConnectionLimits, 'refused' | 'latest'> {
    return this.#limits
  }

  /** @returns the ports. @throws where one is taken */
  async listen(): Promise<{ readonly port: number; readonly wsPort: number }> {
    const { host, log } = this.#options
    const port = await listen(this.#tcp, { host, port: this.#options.port, setting: 'MQTT_PORT' })
    this.#tcp.on('error', (error) => log.error(error, 'the embedded broker cannot accept connections'))
    const wsPort = await listen(this.#webSocket, {
      host,
      port: this.#options.wsPort,
      setting: 'MQTT_WS_PORT',
    })
    return { port, wsPort }
  }

  open(): void {
    this.#isOpen = true
  }

  /** From now on connections are closed again; those that there are stay. */
  shut(): void {
    this.#isOpen = false
  }

  /** A connection of this process, also before `open`. */
  connect(): Duplex {
    const [client, broker] = inProcessConnection()
    this.#arrive(broker, broker)
    return client
  }

  /** Takes no more connections. */
  close(): Promise<unknown> {
    return Promise.all([closeServer(this.#tcp), closeServer(this.#webSocket)])
  }

  /** Ends those that there are. */
  destroyConnections(): void {
    for (const connection of this.#connections) connection.destroy()
    this.#webSocket.closeAllConnections()
  }

  #admit(socket: Socket): void {
    if (!this.#isOpen) {
      socket.destroy()
      return
    }
    const address = socket.remoteAddress ?? ''
    const refusal = this.#limits.admit(address)
    if (refusal === null) {
      socket.once('close', () => this.#limits.release(address))
      return
    }
    const { setting } = refusal
    const text = `a connection from ${address} was refused: there are as many as ${setting} allows`
    this.#options.complaints.say('connections', { address, setting }, text)
    socket.destroy()
  }

  #arrive(stream: Duplex, network: Duplex, request?: IncomingMessage): void {
    if (stream.destroyed) return
    this.#connections.add(stream)
    const deadline = setTimeout(() => stream.destroy(), CONNECT_TIMEOUT_MS)
    stream.once('close', () => {
      clearTimeout(deadline)
      this.#connections.delete(stream)
    })
    const letFlow = network === stream ? () => {} : holdBack(network)
    const { maxPacketBytes } = this.#options
    const limits = { maxFirstBytes: Math.min(MAX_CONNECT_BYTES, maxPacketBytes), maxPacketBytes }
    const onFirstPacket = () => {
      clearTimeout(deadline)
      letFlow()
    }
    whenProtocolIsKnown(stream, (level) =>
      this.#options.onConnection({
        ...{ stream, network, level, request },
        guard: (refuse) => guardPacketSize(stream, limits, { refuse, onFirstPacket }),
      }),
    )
  }
}

/**
 * A WebSocket message, of up to 17 MiB, is gathered below the stream of MQTT. Until CONNECT is complete no more is
 * read than it can need.
 *
 * @returns ends the holding back
 */
function holdBack(network: Duplex): () => void {
  let bytes = 0
  const count = (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_CONNECT_BYTES) network.pause()
  }
  network.on('data', count)
  return () => {
    network.off('data', count)
    network.resume()
  }
}
