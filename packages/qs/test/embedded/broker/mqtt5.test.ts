import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import type { IConnackPacket, IDisconnectPacket, IPublishPacket } from 'mqtt-packet'
import { closed, connect, credentials, loopback, received, start, tcp, webSocket } from './connecting.ts'

const connect5 = (t: TestContext, url: string, options: IClientOptions = {}) =>
  connect(t, url, { protocolVersion: 5, ...options })

const publishes = (client: MqttClient): readonly IPublishPacket[] => {
  const packets: IPublishPacket[] = []
  client.on('message', (_topic, _payload, packet) => packets.push(packet))
  return packets
}

for (const transport of ['tcp', 'ws'] as const) {
  for (const qos of [0, 1, 2] as const) {
    for (const [from, to] of [
      [5, 5],
      [4, 5],
      [5, 4],
    ] as const) {
      test(`QoS ${qos} messages pass over ${transport} from MQTT ${from} to ${to}`, async (t) => {
        const broker = await start(t)
        const url = transport === 'tcp' ? tcp(broker) : webSocket(broker)
        const publisher = await connect(t, url, { protocolVersion: from })
        const subscriber = await connect(t, url, { protocolVersion: to })
        const messages = received(subscriber)
        await subscriber.subscribeAsync('qs/v1/+/events', { qos })
        const expected = Array.from({ length: 20 }, (_, i) => `qs/v1/board-1/events: ${i}`)
        await Promise.all(
          expected.map((_, i) => publisher.publishAsync('qs/v1/board-1/events', `${i}`, { qos })),
        )
        await until(() => messages.length >= 20, 'the messages arrive')
        assert.deepEqual(messages, expected)
      })
    }
  }
}

test('CONNACK has the capabilities of the broker and the assigned client id', async (t) => {
  const broker = await start(t)
  const client = mqtt.connect(tcp(broker), { protocolVersion: 5, reconnectPeriod: 0, clientId: '' })
  t.after(() => client.end(true))
  const connack = await new Promise<IConnackPacket>((resolve) => client.once('connect', resolve))
  const { assignedClientIdentifier, ...properties } = connack.properties ?? {}
  assert.match(assignedClientIdentifier ?? '', /^auto-/)
  assert.deepEqual(properties, {
    receiveMaximum: 1_000,
    maximumPacketSize: loopback.maxPacketBytes,
    topicAliasMaximum: 16,
  })
})

test('properties reach an MQTT 5 subscriber live, retained and queued, and affect no other', async (t) => {
  const broker = await start(t)
  const session = { clientId: 'away', clean: false, properties: { sessionExpiryInterval: 60 } } as const
  const [publisher, live, old] = [
    await connect5(t, tcp(broker)),
    await connect5(t, tcp(broker)),
    await connect(t, tcp(broker)),
  ]
  const away = await connect5(t, tcp(broker), session)
  await away.subscribeAsync('p/#', { qos: 1 })
  await away.endAsync()
  const [liveGot, oldGot] = [publishes(live), received(old)]
  await Promise.all([live.subscribeAsync('p/#'), old.subscribeAsync('p/#')])
  const properties = {
    payloadFormatIndicator: true,
    contentType: 'application/json',
    responseTopic: 'answers',
    correlationData: Buffer.from('7'),
    userProperties: { room: 'kitchen', tag: ['a', 'b'] },
  }
  const options = { qos: 1, retain: true, properties: { ...properties, messageExpiryInterval: 60 } } as const
  await publisher.publishAsync('p/with', '{}', options)
  await publisher.publishAsync('p/empty', '', { properties })
  await publisher.publishAsync('p/without', 'x')
  const late = await connect5(t, tcp(broker))
  const lateGot = publishes(late)
  await late.subscribeAsync('p/with')
  const back = mqtt.connect(tcp(broker), { protocolVersion: 5, reconnectPeriod: 0, ...session })
  t.after(() => back.end(true))
  const backGot = publishes(back)
  await until(() => liveGot.length >= 3 && oldGot.length >= 3 && lateGot[0] && backGot[0], 'they arrive')
  const seen = [liveGot[0], liveGot[1], lateGot[0], backGot[0]]
  for (const packet of seen) {
    const { userProperties, messageExpiryInterval = 60, ...rest } = packet?.properties ?? {}
    assert.deepEqual({ ...rest, userProperties: { ...userProperties } }, properties)
    assert.ok(messageExpiryInterval > 0 && messageExpiryInterval <= 60)
  }
  assert.equal(liveGot[2]?.properties, undefined)
  assert.deepEqual(oldGot, ['p/with: {}', 'p/empty: ', 'p/without: x'])
})

test('the will of a lost client is published, and one requested in DISCONNECT', async (t) => {
  const broker = await start(t)
  const subscriber = await connect5(t, tcp(broker))
  const messages = received(subscriber)
  await subscriber.subscribeAsync('gone/#', { qos: 1 })
  const client = (id: string) =>
    connect5(t, tcp(broker), {
      will: {
        topic: `gone/${id}`,
        payload: Buffer.from('x'),
        qos: 1,
        retain: false,
        properties: { willDelayInterval: 1, userProperties: { a: 'b' } },
      },
    })
  await (await client('polite')).endAsync()
  await (await client('asks')).endAsync(false, { reasonCode: 4 } as never)
  ;(await client('lost')).stream.destroy()
  await until(() => messages.length >= 2, 'the wills arrive')
  assert.deepEqual([...messages].sort(), ['gone/asks: x', 'gone/lost: x'])
})

test('no local, retain handling and retain as published are honoured', async (t) => {
  const broker = await start(t)
  const other = await connect5(t, tcp(broker))
  await other.publishAsync('state', 'retained', { retain: true, qos: 1 })
  const client = await connect5(t, tcp(broker), { clientId: 'c' })
  const got: string[] = []
  client.on('message', (_topic, payload, { retain }) => got.push(`${payload} ${retain}`))
  await client.subscribeAsync('state', { qos: 1, rh: 2, nl: true, rap: true })
  await client.publishAsync('state', 'own', { qos: 1 })
  await other.publishAsync('state', 'live', { qos: 1, retain: true })
  await until(() => got.length === 1, 'the live one')
  await client.subscribeAsync('state', { qos: 1, rh: 1, nl: true, rap: false })
  await other.publishAsync('state', 'again', { qos: 1, retain: true })
  await until(() => got.length === 2, 'the next one')
  await client.unsubscribeAsync('state')
  await client.subscribeAsync('state', { qos: 1, rh: 1 })
  await until(() => got.length === 3, 'the retained one of a new subscription')
  assert.deepEqual(got, ['live true', 'again false', 'again true'])
})

test('with credentials, only clients that have them are admitted', async (t) => {
  const broker = await start(t, { credentials })
  await connect5(t, tcp(broker), credentials)
  await connect5(t, webSocket(broker), credentials)
  await assert.rejects(connect5(t, tcp(broker)), /Bad User Name or Password/i)
  await assert.rejects(
    connect5(t, tcp(broker), { ...credentials, password: 'x' }),
    /Bad User Name or Password/i,
  )
})

test('a client gets the reason if another took over its session or the broker stops', async (t) => {
  const broker = await start(t)
  const reasons: (number | undefined)[] = []
  const client = async (id: string) => {
    const made = await connect5(t, tcp(broker), { clientId: id })
    made.on('disconnect', ({ reasonCode }: IDisconnectPacket) => reasons.push(reasonCode))
    return made
  }
  const [older, other] = [await client('same'), await client('other')]
  const olderClosed = closed(older)
  await connect(t, tcp(broker), { clientId: 'same' })
  await olderClosed
  const otherClosed = closed(other)
  await broker.stop()
  await otherClosed
  assert.deepEqual(reasons, [0x8e, 0x8b])
})

test('a packet above the limit closes the connection of its sender with the reason', async (t) => {
  const { log, records } = silentLog()
  const broker = await start(t, { log })
  for (const url of [tcp(broker), webSocket(broker)]) {
    const client = await connect5(t, url)
    let reason: number | undefined
    client.on('disconnect', (packet: IDisconnectPacket) => (reason = packet.reasonCode))
    const isClosed = closed(client)
    client.publish('t', Buffer.alloc(loopback.maxPacketBytes))
    await isClosed
    assert.equal(reason, 0x95)
  }
  assert.equal(records.filter(({ msg }) => msg.includes('above the limit of 10000')).length, 1)
})
