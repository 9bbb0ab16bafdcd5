import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { answeringNode } from '../../src/doctor/answering-node.ts'
import { fakeBroker } from '../source/fake-broker.ts'

test('of several nodes, the first that takes the login is used; if none does, the last says why', async (t) => {
  const away = `mqtt://127.0.0.1:${await freePort()}`
  const rude = await fakeBroker(t, { onConnect: (peer) => peer.destroy() })
  const broker = await fakeBroker(t)
  assert.equal((await answeringNode({ url: `${away},${rude.url},${broker.url}` })).url, broker.url)
  await assert.rejects(answeringNode({ url: `${rude.url},${away}` }), { code: 'BROKER_UNREACHABLE' })
})
