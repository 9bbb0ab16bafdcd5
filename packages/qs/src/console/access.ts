import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'

/** Who may use a route: everybody, those who may look, or those who may also change things. */
export type Access = 'public' | 'viewer' | 'operator'

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly access?: Access
  }
}

/**
 * Makes every route declare its access: a route without `config.access` stops the start. Call it before the first route
 * and before the first plugin.
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
    throw new Error(`These routes do not say who may use them; set config.access: ${names}`)
  })
}

/** The access of routes that a plugin registers, which know nothing of ours. */
export function giveAccess(scope: FastifyInstance, access: Access): void {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, access }
  })
}

/**
 * The access of the route that answers, as the router found it: the text of the URL decides nothing. Where no route
 * matches, the answer is 404, or the page that shows it.
 */
export function accessOf(request: FastifyRequest): Access {
  if (request.is404) return 'public'
  return request.routeOptions.config.access ?? 'operator'
}
