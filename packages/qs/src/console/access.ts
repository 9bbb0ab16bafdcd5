import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { QsError } from '../errors/qs-error.ts'

/** Who may use a route: everyone, viewers (read-only), or operators, who may also change things. */
export type Access = 'public' | 'viewer' | 'operator'

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly access?: Access
  }
}

/**
 * Requires every route to declare its access: a route without `config.access` stops the start. Call it before the first
 * route and plugin are registered.
 */
export function requireAccess(server: FastifyInstance): void {
  const routes: RouteOptions[] = []
  server.addHook('onRoute', (route) => {
    routes.push(route)
  })
  server.addHook('onReady', async () => {
    const undecided = routes.filter(({ config }) => config?.access === undefined)
    if (undecided.length === 0) return
    const names = undecided.map(({ method, url }) => `${method} ${url}`).join(', ')
    throw new QsError(
      'INTERNAL_ERROR',
      `These routes do not declare who may use them; set config.access: ${names}`,
    )
  })
}

/** Sets the access of routes registered by a plugin, which does not know `config.access`. */
export function giveAccess(scope: FastifyInstance, access: Access): void {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, access }
  })
}

/**
 * The access of the route that the router matched; the text of the URL plays no part. Without a match, the answer is
 * 404 or the page that shows it.
 */
export function accessOf(request: FastifyRequest): Access {
  if (request.is404) return 'public'
  return request.routeOptions.config.access ?? 'operator'
}
