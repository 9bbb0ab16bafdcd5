import { createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Log } from '../../telemetry/log.ts'
import type { ClientComplaints } from './client-complaints.ts'
import { ConnectionLimits, type ConnectionLimitsOptions } from './connection-limits.ts'
import { closeServer, listen } from './listen.ts'
import { webSocketServer } from './websocket-server.ts'

export interface BrokerListenersOptions {
  readonly host: string
  /** 0 picks a free port; the same holds for `wsPort`. */
  readonly port: number
  readonly wsPort: number
  /** Whether pages of other sites may connect. */
  readonly anyOrigin: boolean
  readonly maxPacketBytes: number
  readonly limits: ConnectionLimitsOptions
  readonly complaints: ClientComplaints
  readonly log: Log
  readonly onConnection: (connection: Arrived) => void
}

/** A connection of which no byte is read yet. */
export interface Arrived {
  /** TCP socket, or the stream inside a WebSocket. */
  readonly stream: Duplex
  /** The network socket, also underneath a WebSocket. */
  readonly network: Socket
  /** Call it when CONNECT is complete: until then, time and buffers are limited. */
  onConnect(): void
}

/** Time for a complete CONNECT, from the start of the connection. */
const CONNECT_TIMEOUT_MS = 10_000
/** A CONNECT may have as much; any client may send one. */
const MAX_CONNECT_BYTES = 64 * 1024

/**
 * Everything before the login: the listeners, the connection limits, and the memory that an unauthenticated client can
 * use until CONNECT is complete.
 *
 * `listen` binds the ports, `open` admits clients. In between, connections are closed at once: there is no pipeline
 * yet that could take a message.
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
      onConnection: (stream, request) => this.#arrive(stream, request.socket),
      onError: (error) => options.log.error(error, 'the embedded broker cannot accept connections'),
    })
    for (const server of [this.#tcp, this.#webSocket]) {
      server.prependListener('connection', (socket: Socket) => this.#admit(socket))
    }
  }

  get refused(): Pick<ConnectionLimits, 'refused' | 'latest'> {
    return this.#limits
  }

  /** @returns the ports @throws if one is in use */
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

  /** Closes new connections from now on; current ones stay. */
  shut(): void {
    this.#isOpen = false
  }

  /** Stops listening. */
  close(): Promise<unknown> {
    return Promise.all([closeServer(this.#tcp), closeServer(this.#webSocket)])
  }

  /** Closes all current connections. */
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
    const text = `a connection from ${address} was refused: the limit ${setting} is reached`
    this.#options.complaints.say('connections', { address, setting }, text)
    socket.destroy()
  }

  #arrive(stream: Duplex, network: Socket): void {
    if (stream.destroyed) return
    this.#connections.add(stream)
    const deadline = setTimeout(() => stream.destroy(), CONNECT_TIMEOUT_MS)
    stream.once('close', () => {
      clearTimeout(deadline)
      this.#connections.delete(stream)
    })
    const letFlow = network === stream ? () => {} : holdBack(network)
    const onConnect = () => {
      clearTimeout(deadline)
      letFlow()
    }
    this.#options.onConnection({ stream, network, onConnect })
  }
}

/**
 * A WebSocket message of up to 17 MiB is buffered below the MQTT stream. Until CONNECT is complete, reads no more than
 * it can need.
 *
 * @returns a function that lifts the limit
 */
function holdBack(network: Socket): () => void {
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
