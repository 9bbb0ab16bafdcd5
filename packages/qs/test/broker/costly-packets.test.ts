import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Packet } from 'mqtt-packet'
import { REASON } from '../../src/mqtt/reasons.ts'
import { publish, pureBroker } from './pure-broker.ts'

const asking = (count: number, messageId = 1): Packet => ({
  ...{ cmd: 'subscribe', messageId },
  subscriptions: Array.from({ length: count }, () => ({ topic: 'a', qos: 0 })),
})

const leaving = (count: number): Packet => ({
  ...{ cmd: 'unsubscribe', messageId: 1 },
  unsubscriptions: Array.from({ length: count }, () => 'a'),
})

for (const [name, packet] of [
  ['SUBSCRIBE', asking],
  ['UNSUBSCRIBE', leaving],
] as const) {
  test(`${name} has up to 1,000 topic filters, each of which counts as a message`, async () => {
    const charged: number[] = []
    const { connect } = pureBroker({
      chargeMs: (messages) => {
        charged.push(messages)
        return 10
      },
    })
    const client = await connect('c')
    await client.send(packet(1_000))
    assert.deepEqual([charged, client.isPaused, client.isClosed], [[1_000], true, false])
    await client.send(packet(1_001))
    assert.equal(client.of('disconnect')[0]?.reasonCode, REASON.quotaExceeded)
    assert.ok(client.isClosed)
  })
}

test('PINGREQ and answers to unknown messages count as messages', async () => {
  const charged: number[] = []
  const { connect } = pureBroker({
    chargeMs: (messages) => {
      charged.push(messages)
      return 0
    },
  })
  const client = await connect('c')
  await client.send({ cmd: 'pingreq' })
  await client.send(publish('t', 'x', { qos: 2, messageId: 1 }), { cmd: 'pubrel', messageId: 1 })
  await client.send({ cmd: 'pubrel', messageId: 1 }, { cmd: 'pubrec', messageId: 1 })
  assert.deepEqual(charged, [1, 0, 1, 1])
})

test('PUBLISH has up to 64 KiB of properties', async () => {
  const { connect } = pureBroker()
  const client = await connect('c')
  const value = 'x'.repeat(30_000)
  const withValues = (count: number) =>
    publish('t', '', {
      qos: 1,
      messageId: 1,
      properties: { userProperties: { k: Array(count).fill(value) } },
    })
  await client.send(withValues(2))
  assert.equal(client.of('puback').length, 1)
  await client.send(withValues(3))
  assert.equal(client.of('disconnect')[0]?.reasonCode, REASON.packetTooLarge)
})
