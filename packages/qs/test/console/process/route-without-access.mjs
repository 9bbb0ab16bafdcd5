// Preloaded into every process of a test (NODE_OPTIONS): the console's own gets a route of which nobody decided who may use it.
import { subscribe } from 'node:diagnostics_channel'

if (process.argv[1]?.includes('console/process/main')) {
  subscribe('fastify.initialization', ({ fastify }) => {
    let isAdded = false
    fastify.addHook('onRoute', () => {
      if (isAdded) return
      isAdded = true
      fastify.get('/forgotten', async () => 'x')
    })
  })
}
