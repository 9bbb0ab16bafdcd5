import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { ServerCertificate } from '../../certificates/server-certificate.ts'
import type { Clock } from '../../pipeline/clock.ts'
import type { Log } from '../../telemetry/log.ts'
import type { ClientComplaints } from './client-complaints.ts'
import { ConnectionLimits, type ConnectionLimitsOptions } from './connection-limits.ts'
import { HandshakeTurns } from './handshake-turns.ts'
import { closeServer, listen, SOCKET_OPTIONS } from './listen.ts'
import { TlsFront } from './tls-front.ts'
import { webSocketServer } from './websocket-server.ts'

/** Where a broker listens. 0 picks a free port. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
  readonly wsPort: number
}

export interface BrokerListenersOptions extends ListenAddress {
  /** The same protocols over TLS; null: none. */
  readonly tls: (ListenAddress & { readonly certificate: ServerCertificate }) | null
  /** Whether pages of other sites may connect. */
  readonly anyOrigin: boolean
  readonly maxPacketBytes: number
  readonly limits: ConnectionLimitsOptions
  readonly clock: Pick<Clock, 'after'>
  readonly complaints: ClientComplaints
  readonly log: Log
  readonly onConnection: (connection: Arrived) => void
}

/** A connection of which no byte is read yet. */
export interface Arrived {
  /** TCP or TLS socket, or the stream inside a WebSocket. */
  readonly stream: Duplex
  /** The network socket, also underneath a WebSocket; with TLS, the TLS socket. */
  readonly network: Socket
  /** Call it when CONNECT is complete: until then, time is limited. */
  onConnect(): void
  /** Call it once the client has logged in: until then, buffers are limited. */
  onLogin(): void
}

/** Ports that were bound. */
export interface BoundPorts {
  readonly port: number
  readonly wsPort: number
  /** null: no TLS. */
  readonly tlsPort: number | null
  readonly wssPort: number | null
}

/** A port, and what takes the connections that were admitted on it. */
interface Listener {
  readonly server: Server
  readonly host: string
  readonly port: number
  readonly setting: 'MQTT_PORT' | 'MQTT_WS_PORT' | 'MQTT_TLS_PORT' | 'MQTT_WSS_PORT'
}

/** Time for a complete CONNECT, from the start of the connection; as much for the TLS handshake before it. */
const CONNECT_TIMEOUT_MS = 10_000

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
  readonly #webSocket: ReturnType<typeof webSocketServer>
  readonly #fronts: readonly TlsFront[]
  readonly #listeners: readonly Listener[]
  /** Sockets from their first moment, and the streams inside WebSockets. */
  readonly #connections = new Set<Duplex>()
  #isOpen = false

  constructor(options: BrokerListenersOptions) {
    this.#options = options
    this.#limits = new ConnectionLimits(options.limits)
    this.#webSocket = webSocketServer({
      maxPacketBytes: options.maxPacketBytes,
      anyOrigin: options.anyOrigin,
      timeoutMs: CONNECT_TIMEOUT_MS,
      onConnection: (stream, request, letFlow) => this.#arrive(stream, request.socket, letFlow),
      onError: this.#onError,
    })
    // It takes sockets from its own port, and TLS sockets that were admitted on theirs.
    this.#webSocket.prependListener('connection', (socket: Socket) => {
      if (!(socket instanceof TLSSocket)) this.#admit(socket)
    })
    const tcp = this.#serverFor((socket) => this.#arrive(socket, socket))
    const { host, port, wsPort, tls } = options
    const plain: readonly Listener[] = [
      { server: tcp, host, port, setting: 'MQTT_PORT' },
      { server: this.#webSocket, host, port: wsPort, setting: 'MQTT_WS_PORT' },
    ]
    if (tls === null) {
      this.#fronts = []
      this.#listeners = plain
      return
    }
    const terms = { ...options, certificate: tls.certificate, timeoutMs: CONNECT_TIMEOUT_MS }
    const onSecure = (socket: TLSSocket) => this.#arrive(socket, socket)
    const front = new TlsFront({ ...terms, setting: 'MQTT_TLS_PORT', onSecure })
    const onSecureWeb = (socket: TLSSocket) => void this.#webSocket.emit('connection', socket)
    const webFront = new TlsFront({ ...terms, setting: 'MQTT_WSS_PORT', onSecure: onSecureWeb })
    this.#fronts = [front, webFront]
    const turns = new HandshakeTurns({ clock: options.clock, timeoutMs: CONNECT_TIMEOUT_MS })
    const [server, webServer] = this.#fronts.map((each) =>
      this.#serverFor((socket) => turns.add(socket, () => each.accept(socket))),
    )
    this.#listeners = [
      ...plain,
      { server: server as Server, host: tls.host, port: tls.port, setting: 'MQTT_TLS_PORT' },
      { server: webServer as Server, host: tls.host, port: tls.wsPort, setting: 'MQTT_WSS_PORT' },
    ]
  }

  get refused(): Pick<ConnectionLimits, 'refused' | 'latest'> {
    return this.#limits
  }

  /** @returns the ports @throws if one is in use */
  async listen(): Promise<BoundPorts> {
    const ports: number[] = []
    for (const { server, host, port, setting } of this.#listeners) {
      ports.push(await listen(server, { host, port, setting }))
      server.on('error', this.#onError)
    }
    const [port = 0, wsPort = 0, tlsPort = null, wssPort = null] = ports
    return { port, wsPort, tlsPort, wssPort }
  }

  /** For connections from now on. */
  useCertificate(certificate: ServerCertificate): void {
    for (const front of this.#fronts) front.use(certificate)
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
    return Promise.all(this.#listeners.map(({ server }) => closeServer(server)))
  }

  /** Closes all current connections. */
  destroyConnections(): void {
    for (const connection of this.#connections) connection.destroy()
    this.#webSocket.closeAllConnections()
  }

  #onError = (error: Error): void => {
    this.#options.log.error(error, 'the embedded broker cannot accept connections')
  }

  /** @param accept takes the sockets that are within the limits */
  #serverFor(accept: (socket: Socket) => void): Server {
    return createServer(SOCKET_OPTIONS, (socket) => {
      if (this.#admit(socket)) accept(socket)
    })
  }

  /** @returns false if the connection was refused, and closed */
  #admit(socket: Socket): boolean {
    if (!this.#isOpen) {
      socket.destroy()
      return false
    }
    const address = socket.remoteAddress ?? ''
    const refusal = this.#limits.admit(address)
    if (refusal === null) {
      this.#connections.add(socket)
      socket.once('close', () => {
        this.#connections.delete(socket)
        this.#limits.release(address)
      })
      return true
    }
    const { setting } = refusal
    const text = `a connection from ${address} was refused: the limit ${setting} is reached`
    this.#options.complaints.say('connections', { address, setting }, text)
    socket.destroy()
    return false
  }

  #arrive(stream: Duplex, network: Socket, onLogin = () => {}): void {
    if (stream.destroyed) return
    this.#connections.add(stream)
    const deadline = setTimeout(() => stream.destroy(), CONNECT_TIMEOUT_MS)
    stream.once('close', () => {
      clearTimeout(deadline)
      this.#connections.delete(stream)
    })
    this.#options.onConnection({ stream, network, onConnect: () => clearTimeout(deadline), onLogin })
  }
}
