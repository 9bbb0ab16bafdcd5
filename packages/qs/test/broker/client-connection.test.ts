import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pureBroker } from './pure-broker.ts'

test('a client that sends requests without reading the answers is not read either', async () => {
  const { connect } = pureBroker()
  const client = await connect('c')
  client.stuckBytes = 1
  const subscriptions = Array.from({ length: 20_000 }, () => ({ topic: '#/', qos: 0 }) as const)
  let asked = 0
  for (; !client.isPaused && asked < 1_000; asked++) {
    await client.send({ cmd: 'subscribe', messageId: asked + 1, subscriptions })
  }
  // 2 MiB of answers of 20,000 bytes.
  assert.ok(asked > 50 && asked < 200, `${asked} requests are read`)
  await client.drain()
  assert.equal(client.isPaused, false)
  assert.equal(client.of('suback').length, asked)
})
