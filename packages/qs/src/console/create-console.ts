import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import session from '@fastify/session'
import statics from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { QsError } from '../errors/qs-error.ts'
import type { Fault } from '../http/fault-log.ts'
import { giveAccess } from './access.ts'
import { described } from './described.ts'
import { Gate, type GateOptions, SESSION_MS } from './gate.ts'
import { LiveStreams } from './live-streams.ts'
import { originForm } from './origin-form.ts'
import { errorHandler } from './problem.ts'
import { addAudit } from './queries/audit.ts'
import type { RouteContext, RouteServer } from './route-server.ts'
import { accountRoutes } from './routes/account-routes.ts'
import { alertRoutes } from './routes/alert-routes.ts'
import { deviceRoutes } from './routes/device-routes.ts'
import { eventRoutes } from './routes/event-routes.ts'
import { exportRoutes } from './routes/export-routes.ts'
import { letterRoutes } from './routes/letter-routes.ts'
import { liveRoutes } from './routes/live-routes.ts'
import { pinRoutes } from './routes/pin-routes.ts'
import { seriesRoutes } from './routes/series-routes.ts'
import { sessionRoutes } from './routes/session-routes.ts'
import { settingRoutes } from './routes/setting-routes.ts'
import { systemRoutes } from './routes/system-routes.ts'
import type { ConsoleServices } from './services.ts'
import { SessionStore } from './session-store.ts'
import { validatorCompiler } from './validator.ts'

export interface ConsoleOptions {
  readonly services: ConsoleServices
  readonly gate: GateOptions
  /** Called for each request answered with 5xx. */
  readonly onFault: (fault: Fault) => void
}

const INDEX = `qs-telemetry

/healthz   whether the process works
/readyz    whether broker and database are reachable, so that events become rows
/metrics   metrics for Prometheus
/api/docs  the API of the console
`
const NOT_BUILT = '\nThe pages of the console are not built: npm run build\n'

/** The pages built by packages/console. */
const PAGES = fileURLToPath(new URL('../../../console/dist/', import.meta.url))

/** Everything is loaded from this origin, and no page may be framed. */
const POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  manifestSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
}

/** Swagger UI needs inline styles. Its own policy upgrades requests to HTTPS, which is not served here. */
const DOCS_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'frame-ancestors': "'none'",
}

/** The API under /api, its description under /api/docs, and the pages everywhere else. */
export async function createConsole(
  { services, gate: gateOptions, onFault }: ConsoleOptions,
  serverOptions: FastifyServerOptions,
): Promise<FastifyInstance> {
  const onError = errorHandler(onFault)
  // A malformed URL never reaches the error handler.
  const server = fastify({ ...serverOptions, rewriteUrl: originForm, frameworkErrors: onError })
  server.setErrorHandler(onError)
  server.setValidatorCompiler(validatorCompiler())
  const gate = new Gate(gateOptions)
  await server.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: POLICY },
    // Only a proxy knows whether every route to the console uses TLS.
    strictTransportSecurity: false,
    crossOriginEmbedderPolicy: true,
    referrerPolicy: { policy: 'no-referrer' },
  })
  if (!gate.isOpen) await addSessions(server)
  await server.register(rateLimit, {
    global: false,
    errorResponseBuilder: (_request, { after }) =>
      new QsError('TOO_MANY_LOGINS', `Too many attempts; the next one is possible in ${after}`),
  })
  gate.guard(server)
  await server.register(swagger, {
    openapi: {
      info: {
        title: 'qs-telemetry',
        version: services.version,
        description: 'The API of the console.',
      },
    },
    transform: ({ schema, url }) => ({ schema: described(schema), url }),
  })
  await server.register(async (scope) => {
    giveAccess(scope, 'viewer')
    await scope.register(swaggerUi, { routePrefix: '/api/docs', staticCSP: DOCS_POLICY })
    scope.get('/api/openapi.json', { schema: { hide: true } }, async () => server.swagger())
    scope.all('/api/*', { schema: { hide: true } }, ({ url }) => {
      throw new QsError('NOT_FOUND', `Nothing at ${url}`)
    })
  })

  const context: RouteContext = {
    ...services,
    gate,
    streams: new LiveStreams(),
    audit: (request, entry) => addAudit(services.write, { ...gate.actorOf(request), ...entry }),
  }
  await server.register(async (scope) => {
    const routes = scope as unknown as RouteServer
    for (const add of [
      sessionRoutes,
      systemRoutes,
      deviceRoutes,
      accountRoutes,
      pinRoutes,
      seriesRoutes,
      eventRoutes,
      exportRoutes,
      letterRoutes,
      alertRoutes,
      settingRoutes,
      liveRoutes,
    ])
      add(routes, context)
  })
  await addPages(server)
  await server.ready()
  return server
}

async function addSessions(server: FastifyInstance): Promise<void> {
  await server.register(cookie)
  await server.register(session, {
    // Sessions are in memory and end with the process, and so may their signing key.
    secret: randomBytes(48).toString('base64'),
    store: new SessionStore(),
    cookieName: 'qs_session',
    // The login sets `secure` over TLS; 'auto' would also make the cookie Lax without TLS.
    cookie: { httpOnly: true, sameSite: 'strict', secure: false, path: '/', maxAge: SESSION_MS },
    saveUninitialized: false,
    // A session ends twelve hours after its login, even if in use.
    rolling: false,
  })
}

/** The files of the pages. They contain no data and include the login, so they are public. */
async function addPages(server: FastifyInstance): Promise<void> {
  const areBuilt = existsSync(PAGES)
  await server.register(async (scope) => {
    giveAccess(scope, 'public')
    if (areBuilt) {
      await scope.register(statics, {
        root: PAGES,
        preCompressed: true,
        index: false,
        wildcard: false,
        cacheControl: false,
        setHeaders: (response, path) => {
          const isHashed = path.includes('/assets/')
          response.setHeader('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
        },
      })
    }
    // The pages route all other paths in the browser.
    scope.get('/*', { schema: { hide: true } }, (request, reply) => {
      const isPage = /\btext\/html\b/.test(request.headers.accept ?? '')
      if (isPage && areBuilt) return reply.sendFile('index.html')
      if (isPage || request.url === '/')
        return reply.type('text/plain').send(areBuilt ? INDEX : INDEX + NOT_BUILT)
      throw new QsError('NOT_FOUND', `Nothing at ${request.url}`)
    })
  })
  server.setNotFoundHandler(({ method, url }) => {
    throw new QsError('NOT_FOUND', `Nothing answers ${method} ${url}`)
  })
}
