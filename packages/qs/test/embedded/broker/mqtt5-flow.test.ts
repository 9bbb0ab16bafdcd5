import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import type { Packet } from 'mqtt-packet'
import { connect, received, start, tcp } from './connecting.ts'
import { connectedRaw, publishPacket, type RawClient } from './raw-client.ts'

async function subscribe(client: RawClient, qos: 0 | 1 | 2): Promise<void> {
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos }] })
  await client.wait('suback')
}

/** Waits until the broker has nothing left to send. */
async function settled(client: RawClient): Promise<void> {
  const pings = client.got.filter(({ cmd }) => cmd === 'pingresp').length
  client.send({ cmd: 'pingreq' })
  await client.wait('pingresp', pings + 1)
}

const ids = (packets: readonly Packet[]) => packets.map(({ messageId }) => messageId ?? 0)

test('no more messages are in flight than the client allows, and all arrive', async (t) => {
  const broker = await start(t)
  const publisher = await connect(t, tcp(broker))
  const client = await connectedRaw(t, broker, { properties: { receiveMaximum: 3 } })
  await subscribe(client, 2)
  for (let i = 0; i < 20; i++) await publisher.publishAsync('t', String(i), { qos: i % 2 === 0 ? 1 : 2 })
  await publisher.publishAsync('t', 'unanswered', { qos: 0 })
  await until(() => client.got.some((packet) => packet.cmd === 'publish' && packet.qos === 0), 'QoS 0 passes')
  const publishes = () =>
    client.got.flatMap((packet) => (packet.cmd === 'publish' && packet.qos > 0 ? [packet] : []))
  assert.equal(publishes().length, 3)
  for (let done = 0; done < 20; done++) {
    await until(() => publishes().length > done, 'the next message')
    const { qos, messageId = 0 } = publishes()[done] ?? assert.fail()
    if (qos === 1) client.send({ cmd: 'puback', messageId })
    else if (done % 3 === 0) client.send({ cmd: 'pubrec', messageId, reasonCode: 0x97 })
    else {
      client.send({ cmd: 'pubrec', messageId })
      await until(() => client.got.some((p) => p.cmd === 'pubrel' && p.messageId === messageId), 'PUBREL')
      await settled(client)
      assert.ok(publishes().length <= done + 3, 'PUBREC opens no window')
      client.send({ cmd: 'pubcomp', messageId })
    }
  }
  assert.deepEqual(
    publishes().map(({ payload }) => String(payload)),
    Array.from({ length: 20 }, (_, i) => String(i)),
  )
})

test('PUBACKs may come late and in another order, with thousands of messages in flight', async (t) => {
  const broker = await start(t)
  const publisher = await connect(t, tcp(broker))
  const session = { clientId: 'late', clean: false, properties: { sessionExpiryInterval: 60 } } as const
  const client = await connectedRaw(t, broker, session)
  await subscribe(client, 1)
  const count = 5_000
  const sent = Array.from({ length: count }, (_, i) => publisher.publishAsync('t', String(i), { qos: 1 }))
  await Promise.all(sent)
  const publishes = await client.wait('publish', count)
  assert.equal(new Set(ids(publishes)).size, count)
  const answered = ids(publishes).slice(0, count - 10)
  client.send(...answered.toReversed().map((messageId): Packet => ({ cmd: 'puback', messageId })))
  await settled(client)
  client.destroy()
  const again = await connectedRaw(t, broker, session)
  assert.equal((await again.wait('connack'))[0]?.sessionPresent, true)
  const left = await again.wait('publish', 10)
  await settled(again)
  assert.deepEqual(
    left.map(({ payload }) => String(payload)),
    Array.from({ length: 10 }, (_, i) => String(count - 10 + i)),
  )
})

test('a message too large for its subscriber counts as acknowledged, others follow', async (t) => {
  const broker = await start(t)
  const publisher = await connect(t, tcp(broker))
  const session = { clientId: 'small', clean: false } as const
  const properties = { sessionExpiryInterval: 60, maximumPacketSize: 100, receiveMaximum: 1 }
  const client = await connectedRaw(t, broker, { ...session, properties })
  await subscribe(client, 2)
  for (const qos of [0, 1, 2] as const) {
    await publisher.publishAsync('t', Buffer.alloc(200), { qos })
    await publisher.publishAsync('t', `small ${qos}`, { qos })
  }
  for (const [index, cmd] of [
    [1, 'puback'],
    [2, 'pubrec'],
  ] as const) {
    const publish = (await client.wait('publish', index + 1))[index]
    client.send({ cmd, messageId: publish?.messageId ?? 0 })
  }
  const [pubrel] = await client.wait('pubrel')
  client.send({ cmd: 'pubcomp', messageId: pubrel?.messageId ?? 0 })
  await settled(client)
  client.destroy()
  const again = await connectedRaw(t, broker, { ...session, properties: { sessionExpiryInterval: 60 } })
  await settled(again)
  assert.deepEqual(
    again.got.map(({ cmd }) => cmd),
    ['connack', 'pingresp'],
  )
})

test('a subscriber that does not acknowledge delays no other client: its queue fills, and the excess is counted', async (t) => {
  const broker = await start(t)
  const client = await connectedRaw(t, broker, { properties: { receiveMaximum: 10 } })
  await subscribe(client, 1)
  const publisher = await connectedRaw(t, broker)
  const payload = Buffer.alloc(9_000, 'x')
  const count = 2_000
  for (let id = 1; id <= count; id++) publisher.send(publishPacket(id, payload))
  await publisher.wait('puback', count)
  await until(() => broker.waiting + broker.dropped === count, 'each message is queued or counted')
  // 8 MiB of messages of 9,900 bytes.
  assert.ok(broker.waiting >= 840 && broker.waiting <= 850, `${broker.waiting} messages wait`)
  const queued = broker.waiting
  let puback = 0
  const answered = () => {
    const publishes = client.got.flatMap((packet) => (packet.cmd === 'publish' ? [packet] : []))
    const due = publishes.slice(puback)
    puback = publishes.length
    if (due.length > 0) client.send(...ids(due).map((messageId): Packet => ({ cmd: 'puback', messageId })))
    return puback === queued && broker.waiting === 0
  }
  await until(answered, 'all queued messages arrive in the end')
})

test('a publisher of thousands of messages cannot outrun the broker', async (t) => {
  const broker = await start(t)
  const subscriber = await connect(t, tcp(broker))
  const messages = received(subscriber)
  await subscriber.subscribeAsync('t')
  const publisher = await connectedRaw(t, broker)
  const count = 20_000
  for (let id = 1; id <= count; id++) publisher.send(publishPacket(id, String(id)))
  await publisher.wait('puback', count)
  await until(() => messages.length === count, 'all arrive')
  assert.equal(messages.at(-1), `t: ${count}`)
})
