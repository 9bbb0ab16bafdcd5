import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generate, type IConnectPacket } from 'mqtt-packet'
import { readDisconnect } from '../../src/mqtt/answer-packet.ts'
import { levelOf, readConnect } from '../../src/mqtt/connect-packet.ts'
import { Output } from '../../src/mqtt/output.ts'
import { type Level, PUBACK, PUBREL } from '../../src/mqtt/packet-types.ts'
import { REASON } from '../../src/mqtt/reasons.ts'
import { readSubscribe, readUnsubscribe } from '../../src/mqtt/subscribe-packet.ts'
import { isTopicFilter, isTopicName, sharedFilter } from '../../src/mqtt/topics.ts'
import { framed, read, text, topicText } from './packets.ts'

const connects = fc.record({
  version: fc.constantFrom<Level>(3, 4, 5),
  clientId: text.filter((id) => id !== '' && id.length < 20),
  keepalive: fc.nat(65_535),
  clean: fc.boolean(),
  username: fc.option(
    text.filter((name) => name !== ''),
    { nil: undefined },
  ),
  password: fc.option(fc.uint8Array({ minLength: 1, maxLength: 30 }), { nil: undefined }),
  will: fc.option(
    fc.record({
      topic: topicText,
      payload: fc.uint8Array({ minLength: 1, maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      qos: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
      retain: fc.boolean(),
      delay: fc.nat(1_000),
    }),
    { nil: undefined },
  ),
  expiry: fc.nat(0xffff_ffff),
  receiveMaximum: fc.integer({ min: 1, max: 65_535 }),
})

test('CONNECT of each version is read as mqtt-packet writes it', () => {
  fc.assert(
    fc.property(connects, ({ version, password, will, expiry, receiveMaximum, ...fields }) => {
      const hasPassword = password !== undefined && fields.username !== undefined
      const packet: IConnectPacket = {
        ...{ cmd: 'connect', protocolId: version === 3 ? 'MQIsdp' : 'MQTT', protocolVersion: version },
        ...{ clientId: fields.clientId, clean: fields.clean, keepalive: fields.keepalive },
        ...(fields.username !== undefined && { username: fields.username }),
        ...(hasPassword && { password: Buffer.from(password) }),
        ...(will && {
          will: {
            ...{ topic: will.topic, payload: will.payload, qos: will.qos, retain: will.retain },
            ...(version === 5 && { properties: { willDelayInterval: will.delay } }),
          },
        }),
        ...(version === 5 && { properties: { sessionExpiryInterval: expiry, receiveMaximum } }),
      }
      const connect = framed(generate(packet), (frame) => {
        assert.equal(levelOf(frame), version)
        return readConnect(frame, version)
      })
      const lasting = fields.clean ? 0 : Number.POSITIVE_INFINITY
      assert.deepEqual(
        [connect.clientId, connect.cleanStart, connect.keepAliveSeconds, connect.username],
        [fields.clientId, fields.clean, fields.keepalive, fields.username],
      )
      assert.deepEqual(connect.password, hasPassword ? Buffer.from(password) : undefined)
      assert.equal(connect.will?.topic, will?.topic)
      assert.deepEqual(connect.will?.payload, will?.payload)
      assert.equal(connect.will?.delaySeconds, will && (version === 5 ? will.delay : 0))
      assert.equal(
        connect.expirySeconds,
        version < 5 ? lasting : expiry === 0xffff_ffff ? Number.POSITIVE_INFINITY : expiry,
      )
      assert.equal(connect.receiveMaximum, version === 5 ? receiveMaximum : 65_535)
    }),
    { numRuns: 300 },
  )
})

test('SUBSCRIBE and UNSUBSCRIBE are read with all their options', () => {
  const subscriptions = [
    { topic: 'a/+', qos: 1, nl: true, rap: false, rh: 2 },
    { topic: '$share/g/#', qos: 2, nl: false, rap: true, rh: 0 },
  ] as const
  const properties = { subscriptionIdentifier: 70_000 }
  const bytes = generate(
    { cmd: 'subscribe', messageId: 9, subscriptions: [...subscriptions], properties },
    { protocolVersion: 5 },
  )
  const subscribe = framed(bytes, (frame) => readSubscribe(frame, true))
  assert.equal(subscribe.packetId, 9)
  assert.equal(subscribe.identifier, 70_000)
  assert.deepEqual(
    subscribe.asked.map(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => ({
      ...{ topic: filter, qos, nl: noLocal, rap: retainAsPublished, rh: retainHandling },
    })),
    subscriptions,
  )
  const unsubscribe = generate({ cmd: 'unsubscribe', messageId: 8, unsubscriptions: ['a', 'b/#'] })
  assert.deepEqual(
    framed(unsubscribe, (frame) => readUnsubscribe(frame, false)),
    { packetId: 8, filters: ['a', 'b/#'] },
  )
})

test('answers, SUBACK, UNSUBACK, CONNACK and DISCONNECT are read by mqtt-packet as they were written', () => {
  const written = (level: Level, write: (output: Output) => void) => {
    const chunks: Buffer[] = []
    const output = new Output(level, (bytes) => chunks.push(bytes))
    write(output)
    output.flush()
    return Buffer.concat(chunks)
  }
  const five = written(5, (output) => {
    output.connack(REASON.success, true, {
      ...{ receiveMaximum: 1_000, maxPacketBytes: 70_000, topicAliasMaximum: 16 },
      ...{ assignedClientId: 'auto-ä', serverKeepAliveSeconds: 30, isPubackCommit: true },
    })
    output.answer(PUBACK, 300)
    output.answer(PUBACK, 301, REASON.payloadFormatInvalid, 'EVENT_ID_CONFLICT')
    output.answer(PUBREL, 302, REASON.packetIdNotFound)
    output.suback(4, [0, 1, 2, 0x8f])
    output.unsuback(5, [0, 0x11])
    output.pingresp()
    output.disconnect(REASON.sessionTakenOver)
  })
  const [connack, puback, refused, pubrel, suback, unsuback, pingresp, disconnect] = read(five, 5)
  assert.deepEqual(connack?.cmd === 'connack' && [connack.reasonCode, connack.sessionPresent], [0, true])
  assert.deepEqual(
    {
      ...(connack?.cmd === 'connack' && connack.properties),
      userProperties: { ...(connack?.cmd === 'connack' && connack.properties?.userProperties) },
    },
    {
      ...{ receiveMaximum: 1_000, maximumPacketSize: 70_000, topicAliasMaximum: 16 },
      ...{ assignedClientIdentifier: 'auto-ä', serverKeepAlive: 30 },
      userProperties: { puback: 'committed' },
    },
  )
  assert.deepEqual([puback?.cmd, puback?.messageId], ['puback', 300])
  assert.ok(refused?.cmd === 'puback')
  assert.deepEqual([refused.reasonCode, refused.properties?.reasonString], [0x99, 'EVENT_ID_CONFLICT'])
  assert.deepEqual(pubrel?.cmd === 'pubrel' && [pubrel.messageId, pubrel.reasonCode], [302, 0x92])
  assert.deepEqual(suback?.cmd === 'suback' && suback.granted, [0, 1, 2, 0x8f])
  assert.deepEqual(unsuback?.cmd === 'unsuback' && unsuback.granted, [0, 0x11])
  assert.equal(pingresp?.cmd, 'pingresp')
  assert.equal(disconnect?.cmd === 'disconnect' && disconnect.reasonCode, 0x8e)

  const four = written(4, (output) => {
    output.connack(REASON.badCredentials, false, null)
    output.answer(PUBACK, 301, REASON.payloadFormatInvalid, 'X')
    output.suback(4, [1, 0x80])
    output.unsuback(5, [0])
    output.disconnect(REASON.unspecified)
  })
  assert.equal(four.toString('hex'), '20020004' + '4002012d' + '900400040180' + 'b0020005')
})

test('DISCONNECT may change the expiry and ask for the will', () => {
  const packet = { cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 5 } } as const
  const bytes = generate(packet, { protocolVersion: 5 })
  assert.deepEqual(
    framed(bytes, (frame) => readDisconnect(frame, true)),
    { reason: 4, expirySeconds: 5 },
  )
  assert.deepEqual(
    framed(Buffer.from('e000', 'hex'), (frame) => readDisconnect(frame, false)),
    { reason: 0, expirySeconds: undefined },
  )
  const withMore = Buffer.concat([Buffer.of(0xe0, bytes.length - 1), bytes.subarray(2), Buffer.of(0)])
  assert.throws(() => framed(withMore, (frame) => readDisconnect(frame, true)), /more than its fields/)
})

test('invalid topic names and filters are recognised', () => {
  for (const name of ['a', '/', 'a//b', ' ', '$other', '$SYS/x', 'ä/ö']) assert.ok(isTopicName(name), name)
  for (const name of ['', '+', 'a/#', 'a\0', '/'.repeat(100)]) assert.ok(!isTopicName(name), name)
  for (const filter of ['#', '+', 'a/+/b', '+/+/#', '/#', '$share/g/a'])
    assert.ok(isTopicFilter(filter), filter)
  for (const filter of ['', 'a#', '#/a', 'a+', '+a/b', 'a\0', '/'.repeat(100)]) {
    assert.ok(!isTopicFilter(filter), filter)
  }
  assert.deepEqual(sharedFilter('$share/g/a/+'), { group: 'g', filter: 'a/+' })
  for (const filter of ['$share/g', '$share//a', '$share/+/a', '$share/g/', '$share/g/a#'])
    assert.equal(sharedFilter(filter), 'invalid', filter)
  assert.equal(sharedFilter('a'), null)
})
