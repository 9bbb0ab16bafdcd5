import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ConsoleTarget } from '../../src/attack/console-target.ts'

/** Longer than any later request may take. */
const START_MS = 16_000

test('a console that needs its time to start is waited for', async (t) => {
  const server = createServer((_, response) => {
    setTimeout(() => response.end('{"loginNeeded":false}'), START_MS)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  assert.notEqual(await ConsoleTarget.open(`http://127.0.0.1:${port}`), null)
})
