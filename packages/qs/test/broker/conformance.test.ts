import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packet } from '@qs-telemetry/testing/parity/bytes.ts'
import { lasting, type PureClient, publish, pureBroker, received, subscribe } from './pure-broker.ts'

/** What the broker sent of the exchanges of messages, with identifier and DUP. */
const exchanged = ({ got }: PureClient) =>
  got.flatMap((each) =>
    each.cmd === 'publish'
      ? [`publish ${each.messageId} dup ${Number(each.dup)}`]
      : each.cmd === 'pubrel'
        ? [`pubrel ${each.messageId}`]
        : [],
  )

test('what is not acknowledged is sent again after a reconnect, with its identifier, and at no other time', async () => {
  const { connect, clock, look } = pureBroker()
  const first = await connect('c', lasting(86_400))
  await first.send(subscribe('t', { qos: 2 }))
  const sender = await connect('sender')
  for (const [index, qos] of [1, 2, 2, 1].entries())
    await sender.send(publish('t', String(index), { qos, messageId: index + 1 }))
  const ids = first.of('publish').map(({ messageId = 0 }) => messageId)
  const [, , released = 0, answered = 0] = ids
  await first.send({ cmd: 'pubrec', messageId: released }, { cmd: 'puback', messageId: answered })
  const before = exchanged(first)
  assert.deepEqual(before, [...ids.map((id) => `publish ${id} dup 0`), `pubrel ${released}`])
  for (let minute = 0; minute < 60; minute++) {
    clock.pass(60_000)
    look()
    await first.send({ cmd: 'pingreq' })
  }
  assert.deepEqual(exchanged(first), before)
  await first.vanish()
  const second = await connect('c', lasting(86_400))
  const again = [`publish ${ids[0]} dup 1`, `publish ${ids[1]} dup 1`, `pubrel ${released}`]
  assert.deepEqual(exchanged(second), again)
  clock.pass(60_000)
  await second.send({ cmd: 'pingreq' })
  assert.deepEqual(exchanged(second), again)
})

/** [MQTT 5, table 2-2]; PUBLISH uses its flags. */
const FIRST_BYTES = {
  ...{ PUBACK: 0x40, PUBREC: 0x50, PUBREL: 0x62, PUBCOMP: 0x70, SUBSCRIBE: 0x82, UNSUBSCRIBE: 0xa2 },
  ...{ PINGREQ: 0xc0, DISCONNECT: 0xe0, AUTH: 0xf0, CONNECT: 0x10 },
}
const BODIES: Readonly<Record<string, readonly number[]>> = {
  ...{ SUBSCRIBE: [0, 7, 0, 0, 1, 0x74, 0], UNSUBSCRIBE: [0, 7, 0, 0, 1, 0x74], PINGREQ: [], DISCONNECT: [] },
}

test('each other value of the reserved flags ends the connection as a malformed packet', async () => {
  const { connect } = pureBroker()
  for (const [name, right] of Object.entries(FIRST_BYTES)) {
    for (let flags = 0; flags < 16; flags++) {
      const first = (right & 0xf0) | flags
      if (first === right) continue
      const client = await connect('c')
      await client.sendBytes(packet(first, ...(BODIES[name] ?? [0, 7])))
      assert.equal(client.isClosed, true, `${name} with the flags ${flags}`)
      assert.equal(client.of('disconnect')[0]?.reasonCode, 0x81, `${name} with the flags ${flags}`)
    }
  }
})

test('a topic of 65,535 bytes passes whole, as a name and as a filter', async () => {
  const { connect } = pureBroker()
  const topic = `${'ä'.repeat(32_767)}x`
  const client = await connect('c')
  await client.send(subscribe(topic))
  await client.send(publish(topic, 'x', { qos: 1, messageId: 1, retain: true }))
  assert.deepEqual(received(client), [`${topic} x`])
  await client.send(subscribe(`${topic.slice(0, -2)}+`), subscribe('+'))
  assert.deepEqual(received(client).slice(1), [`${topic} x`])
})

test('an answer that exceeds the maximum packet size of the client ends the connection', async () => {
  const { connect } = pureBroker()
  for (const [ask, answer] of [
    [subscribeToMany, 'suback'],
    [unsubscribeFromMany, 'unsuback'],
  ] as const) {
    const client = await connect('c', { properties: { maximumPacketSize: 60 } })
    await client.send(ask(55))
    assert.equal(client.of(answer).length, 1)
    await client.send(ask(56))
    assert.equal(client.of(answer).length, 1)
    assert.equal(client.of('disconnect')[0]?.reasonCode, 0x95)
    assert.equal(client.isClosed, true)
  }
})

function subscribeToMany(count: number) {
  const subscriptions = Array.from({ length: count }, (_, n) => ({ topic: `t/${n}`, qos: 0 as const }))
  return { cmd: 'subscribe' as const, messageId: count, subscriptions }
}

function unsubscribeFromMany(count: number) {
  const unsubscriptions = Array.from({ length: count }, (_, n) => `t/${n}`)
  return { cmd: 'unsubscribe' as const, messageId: count, unsubscriptions }
}
