import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { giveAccess, requireAccess } from '../../src/console/access.ts'

test('a route without declared access stops the start, also in a plugin', async () => {
  const server = fastify()
  requireAccess(server)
  server.get('/decided', { config: { access: 'public' } }, async () => 'x')
  await server.register(async (scope) => {
    scope.post('/forgotten', async () => 'x')
  })
  await assert.rejects(async () => server.ready(), /set config\.access: POST \/forgotten/)
})

test('the routes of a plugin have the access of their scope', async () => {
  const server = fastify()
  requireAccess(server)
  await server.register(async (scope) => {
    giveAccess(scope, 'viewer')
    await scope.register(async (plugin) => {
      plugin.get('/x', async (request) => request.routeOptions.config.access)
    })
  })
  await server.ready()
  assert.equal((await server.inject('/x')).body, 'viewer')
})
