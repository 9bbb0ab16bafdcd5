import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { QsError } from '../errors/qs-error.ts'
import type { Fault } from './fault-log.ts'
import { answersOf, type HealthAnswer, type HealthOptions } from './health.ts'

export interface HttpOptions extends HealthOptions {
  readonly host: string
  readonly port: number
  /** Time allowed for a request to arrive, including its body. Default: 30 s. */
  readonly requestTimeoutMs?: number
  /** Answers everything but health and metrics. */
  readonly console: { answer(request: IncomingMessage, response: ServerResponse): void | Promise<void> }
  /** Called for each request answered with 500 here. */
  readonly onFault: (fault: Fault) => void
}

export interface HttpServer {
  /** Accepts no new connections, waits for `drain`, then closes every connection. */
  close(drain: () => Promise<void>): Promise<void>
}

/** The largest body is 1 MiB; Node's default of 300 s lets an idle client hold a connection for too long. */
const REQUEST_TIMEOUT_MS = 30_000

/**
 * /healthz: whether the process works, for a supervisor that restarts it. /readyz: whether events become rows now, for
 * a load balancer. /metrics: for Prometheus. These are answered here, independent of the console and without its login.
 * Everything else goes to the console, which has its own process.
 *
 * @throws QsError if the port is in use
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
        code: 'INTERNAL_ERROR',
        reason: message,
        stack: stack ?? null,
      })
    void answer(health, request, response).catch((error: Error) => {
      fail(error)
      // These routes are public, and an error message may name hosts and roles.
      response.writeHead(500, { 'content-type': 'text/plain' }).end('Temporarily unavailable\n')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isInUse = error.code === 'EADDRINUSE'
      reject(isInUse ? new QsError('PORT_IN_USE', `Port ${port} on ${host} is in use (HTTP_PORT)`) : error)
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
