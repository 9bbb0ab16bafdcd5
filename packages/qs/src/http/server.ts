import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Fault } from './fault-log.ts'
import { answersOf, type HealthAnswer, type HealthOptions } from './health.ts'

export interface HttpOptions extends HealthOptions {
  readonly host: string
  readonly port: number
  /** How long a request, its body included, may take to arrive. Default: 30 s. */
  readonly requestTimeoutMs?: number
  /** Answers everything but health and metrics. */
  readonly console: { answer(request: IncomingMessage, response: ServerResponse): void | Promise<void> }
  /** Told of each request that is answered with 500 here. */
  readonly onFault: (fault: Fault) => void
}

export interface HttpServer {
  /** Takes no new connections, waits for `drain`, and then ends every connection. */
  close(drain: () => Promise<void>): Promise<void>
}

/** The largest body is 1 MiB; Node's default of 300 s lets a client hold its place for nothing. */
const REQUEST_TIMEOUT_MS = 30_000

/**
 * /healthz tells whether the process works, for whoever would restart it; /readyz whether events become rows
 * right now, for whoever would send them; /metrics the numbers, for Prometheus. They are answered here, whatever the
 * console does. Everything else is the console, for people, in a process of its own; what guards it does not stand
 * before the others.
 *
 * @throws Error where the port is in use
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, port, console, onFault, requestTimeoutMs: requestTimeout = REQUEST_TIMEOUT_MS } = options
  const answers = answersOf(options)
  const timeouts = { requestTimeout, connectionsCheckingInterval: requestTimeout / 6 }
  const server = createServer(timeouts, (request, response) => {
    const route = request.url?.split('?', 1)[0] ?? ''
    const health = answers[route]
    if (health === undefined) return void console.answer(request, response)
    const fail = ({ message, stack }: Error) =>
      onFault({
        ...{ method: request.method ?? '', route, status: 500 },
        reason: message,
        stack: stack ?? null,
      })
    void answer(health, request, response).catch((error: Error) => {
      fail(error)
      // Everybody may ask, and the message of an error may name hosts and roles.
      response.writeHead(500, { 'content-type': 'text/plain' }).end('This cannot be answered now\n')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') reject(error)
      else reject(new Error(`Port ${port} is in use. Stop what uses it, or set HTTP_PORT to another one.`))
    })
    server.listen({ host, port }, resolve)
  })
  return {
    close: async (drain) => {
      const closed = new Promise((resolve) => server.close(resolve))
      await drain()
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(
  health: () => Promise<HealthAnswer>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume()
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
    return
  }
  const { status, contentType, text } = await health()
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
