import { createServer, type RequestListener } from 'node:http'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { ConsoleOptions } from './console.ts'
import { addHealth, HEALTH_PATHS, type HealthOptions } from './health.ts'
import { errorHandler } from './problem.ts'

export interface HttpOptions extends HealthOptions {
  readonly host: string
  readonly port: number
  /** Addresses of proxies whose word counts on who asks, and how. */
  readonly trustedProxies: readonly string[]
  readonly console: ConsoleOptions
}

export interface HttpServer {
  /** Loads the console now, and not when the first person comes. */
  prepare(): Promise<void>
  close(): Promise<void>
}

/**
 * /healthz tells whether the process works, for whoever would restart it; /readyz whether events become rows
 * right now, for whoever would send them; /metrics the numbers, for Prometheus. Everything else is the console, for
 * people; what guards it does not stand before the others.
 *
 * The console is loaded when it is asked for: an ingester that nobody looks at starts in half of the time and in a
 * third less of memory.
 *
 * @throws Error where the port is in use
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, port, trustedProxies } = options
  const common: FastifyServerOptions = {
    logger: false,
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    routerOptions: { maxParamLength: 1_000 },
    // An address that cannot be read never gets to the error handler.
    frameworkErrors: errorHandler,
  }
  const people = new LazyConsole(options.console, common)
  const health = fastify({
    ...common,
    forceCloseConnections: true,
    serverFactory: (handler) =>
      createServer((request, response) => {
        const path = request.url?.split('?', 1)[0] ?? ''
        if (HEALTH_PATHS.has(path)) handler(request, response)
        else people.answer(request, response)
      }),
  })
  health.setErrorHandler(errorHandler)
  addHealth(health, options)

  try {
    await health.listen({ host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new Error(`Port ${port} is in use. Stop what uses it, or set HTTP_PORT to another one.`)
  }
  return {
    prepare: async () => {
      await people.load()
    },
    close: async () => {
      await health.close()
      await people.close()
    },
  }
}

/** The console, made at the first request for it. */
class LazyConsole {
  readonly #options: ConsoleOptions
  readonly #common: FastifyServerOptions
  #loading: Promise<FastifyInstance> | null = null

  constructor(options: ConsoleOptions, common: FastifyServerOptions) {
    this.#options = options
    this.#common = common
  }

  readonly answer: RequestListener = (request, response) => {
    this.load().then(
      (server) => server.routing(request, response),
      (error: Error) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${error.message}\n`),
    )
  }

  load(): Promise<FastifyInstance> {
    this.#loading ??= this.#make()
    return this.#loading
  }

  async close(): Promise<void> {
    await (await this.#loading)?.close()
  }

  async #make(): Promise<FastifyInstance> {
    const { createConsole } = await import('./console.ts')
    return createConsole(this.#options, this.#common)
  }
}
