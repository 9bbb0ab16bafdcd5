import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws'
import { isLocalOrigin } from '../../endpoints/loopback.ts'
import { SOCKET_OPTIONS } from './listen.ts'

export interface WebSocketOptions {
  readonly maxPacketBytes: number
  /** False without credentials: pages of other sites are refused. */
  readonly anyOrigin: boolean
  /** For the whole request. */
  readonly timeoutMs: number
  /** @param letFlow call it once the client has logged in: until then, little is read */
  readonly onConnection: (stream: Duplex, request: IncomingMessage, letFlow: () => void) => void
  readonly onError: (error: Error) => void
}

/**
 * A WebSocket message may contain several MQTT packets or part of one [MQTT-6.0.0-2]; this leaves room for several
 * small packets.
 */
const GATHERED_BYTES = 1024 * 1024
/** A CONNECT may have as much; anyone may send one. */
const MAX_BYTES_BEFORE_LOGIN = 64 * 1024
/** How often Node checks for slow requests. */
const CHECK_MS = 1_000

/** MQTT over WebSocket, on any path; not yet listening. */
export function webSocketServer(options: WebSocketOptions): Server {
  const { timeoutMs } = options
  const timeouts = {
    headersTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    connectionsCheckingInterval: CHECK_MS,
  }
  const server = createServer({ ...timeouts, ...SOCKET_OPTIONS }, (_request, response) => {
    response.writeHead(426, { 'Content-Type': 'text/plain' }).end('This is MQTT over WebSocket.\n')
  })
  const sockets = new WebSocketServer({
    server,
    maxPayload: options.maxPacketBytes + GATHERED_BYTES,
    // [MQTT-6.0.0-4]; older clients request mqttv3.1.
    handleProtocols: (offered) => ['mqtt', 'mqttv3.1'].find((name) => offered.has(name)) ?? false,
    verifyClient: ({ req }: { req: IncomingMessage }) =>
      options.anyOrigin || isLocalOrigin(req.headers.origin),
  })
  // It re-emits the errors of the HTTP server; without a listener, each would end the process.
  sockets.on('error', options.onError)
  sockets.on('connection', (socket, request) => {
    // [MQTT-6.0.0-1]
    socket.on('message', (_data, isBinary) => {
      if (!isBinary) socket.terminate()
    })
    const letFlow = holdBack(socket, request.socket)
    options.onConnection(createWebSocketStream(socket), request, letFlow)
  })
  return server
}

/**
 * A message of up to 17 MiB is buffered below the MQTT stream, also behind a CONNECT whose login waits. Until the client
 * has logged in, reads no more than a CONNECT can need.
 *
 * @returns a function that lifts the limit
 */
function holdBack(socket: WebSocket, network: Socket): () => void {
  let bytes = 0
  const count = (chunk: Buffer) => {
    bytes += chunk.length
    // Not of the network: `ws` resumes that after each chunk.
    if (bytes > MAX_BYTES_BEFORE_LOGIN) socket.pause()
  }
  network.on('data', count)
  return () => {
    network.off('data', count)
    socket.resume()
  }
}
