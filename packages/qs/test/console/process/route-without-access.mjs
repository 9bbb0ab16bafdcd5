// Preloaded into every process of a test (NODE_OPTIONS): adds a route without declared access to the console process.
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
