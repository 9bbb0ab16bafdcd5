import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet'
import { GatheredBytes } from '../../../src/embedded/broker/mqtt5/gathered-bytes.ts'
import { PacketFrames } from '../../../src/embedded/broker/mqtt5/packet-frames.ts'
import { PropertyCarrier } from '../../../src/embedded/broker/mqtt5/property-carrier.ts'
import { publish4To5, publish5To4 } from '../../../src/embedded/broker/mqtt5/publish.ts'
import { isTopicFilter, isTopicName } from '../../../src/embedded/broker/mqtt5/topics.ts'
import { Translation } from '../../../src/embedded/broker/mqtt5/translation.ts'
import { connectPacket, v5 } from './raw-client.ts'

const topicText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 300 })
  .filter((topic) => isTopicName(topic) && topic.isWellFormed())

const text = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((each) => each.isWellFormed())

const publishes = fc
  .record({
    topic: topicText,
    // Both sides of each size boundary of the remaining length.
    payload: fc
      .oneof(fc.nat(300), fc.integer({ min: 15_900, max: 16_600 }))
      .map((size) => Buffer.alloc(size, 'x')),
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    dup: fc.boolean(),
    messageId: fc.integer({ min: 1, max: 65_535 }),
    properties: fc.record(
      {
        contentType: text,
        responseTopic: text,
        correlationData: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
        payloadFormatIndicator: fc.boolean(),
        userProperties: fc.dictionary(
          text.filter((name) => name !== '' && name !== '__proto__'),
          text,
          { minKeys: 1, maxKeys: 5 },
        ),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ qos, dup, ...rest }) => ({
    cmd: 'publish' as const,
    qos: qos as 0 | 1 | 2,
    dup: dup && qos > 0,
    ...rest,
  }))

function read(bytes: Buffer, protocolVersion: 4 | 5): readonly Packet[] {
  const packets: Packet[] = []
  const reader = parser({ protocolVersion })
  reader.on('packet', (packet) => packets.push(packet))
  reader.on('error', (error) => assert.fail(error))
  reader.parse(bytes)
  return packets
}

const essence = (packet: Packet | undefined) => {
  const { topic, payload, qos, retain, dup, messageId } = packet as IPublishPacket
  return { topic, payload: String(payload), qos, retain, dup, messageId: qos > 0 ? messageId : 0 }
}

test('translation from 5 to 3.1.1 and back preserves a PUBLISH', () => {
  const there = (packet: IPublishPacket) => {
    const [four, five] = [new GatheredBytes(), new GatheredBytes()]
    const properties = publish5To4(generate(packet, v5), four)
    const frame = four.take()
    assert.deepEqual(essence(read(frame, 4)[0]), essence(packet))
    const [carrier, payload] = [new PropertyCarrier(), Buffer.of()]
    if (properties !== null) carrier.set(payload, properties)
    const outgoing = publish4To5(frame, carrier.of(payload))
    outgoing.write(five)
    assert.equal(five.length, outgoing.bytes)
    // Byte for byte, since the order of properties must not change.
    assert.deepEqual(five.take(), generate(packet, v5))
  }
  fc.assert(fc.property(publishes, there), { numRuns: 500 })
})

test('a stream yields the same packets, however it is cut', () => {
  const check = (packets: readonly IPublishPacket[], cut: number) => {
    const frames = packets.map((packet) => generate(packet, v5))
    const stream = Buffer.concat(frames)
    const cutter = new PacketFrames()
    const found: Buffer[] = []
    for (let at = 0; at < stream.length; at += cut) {
      for (const frame of cutter.add(stream.subarray(at, at + cut))) found.push(Buffer.from(frame))
    }
    assert.deepEqual(found, frames)
  }
  const cuts = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40_000 }))
  fc.assert(fc.property(fc.array(publishes, { minLength: 1, maxLength: 6 }), cuts, check), { numRuns: 100 })
})

test('everything translated for aedes is valid 3.1.1', () => {
  const id = fc.integer({ min: 1, max: 65_535 })
  const filter = fc.oneof(topicText, fc.constantFrom('#', '+/+', 'a/#', '$share/g/#'))
  const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2)
  const packets: fc.Arbitrary<Packet> = fc.oneof(
    publishes,
    fc.record({
      cmd: fc.constantFrom('puback', 'pubrec'),
      messageId: id,
      reasonCode: fc.constantFrom(0, 0x10, 0x80),
    }),
    fc.record({
      cmd: fc.constantFrom('pubrel', 'pubcomp'),
      messageId: id,
      reasonCode: fc.constantFrom(0, 0x92),
    }),
    fc.record({
      cmd: fc.constant('subscribe' as const),
      messageId: id,
      subscriptions: fc.array(
        fc.record({ topic: filter, qos, nl: fc.boolean(), rap: fc.boolean(), rh: fc.constantFrom(0, 1, 2) }),
        { minLength: 1, maxLength: 5 },
      ),
    }),
    fc.record({
      cmd: fc.constant('unsubscribe' as const),
      messageId: id,
      unsubscriptions: fc.array(filter, { minLength: 1, maxLength: 5 }),
    }),
    fc.constant({ cmd: 'pingreq' as const }),
  )
  const check = (packet: Packet) => {
    const translation = new Translation({
      maxPacketBytes: 1_000_000,
      carrier: new PropertyCarrier(),
      isSubscribed: () => true,
    })
    translation.fromClient(generate(connectPacket(), v5))
    translation.toBroker.clear()
    translation.fromClient(generate(packet, v5))
    const [first, ...more] = read(translation.toBroker.take(), 4)
    assert.deepEqual(more, [])
    const refuses = packet.cmd === 'pubrec' && (packet.reasonCode ?? 0) >= 0x80
    assert.equal(first?.cmd, refuses ? 'pubcomp' : packet.cmd)
    if (packet.cmd !== 'pingreq' && packet.cmd !== 'publish') assert.equal(first?.messageId, packet.messageId)
  }
  fc.assert(fc.property(packets, check), { numRuns: 500 })
})

test('invalid topic names and filters are recognised', () => {
  for (const name of ['a', '/', 'a//b', ' ', '$other', 'ä/ö']) assert.ok(isTopicName(name), name)
  for (const name of ['', '+', 'a/#', 'a\0', '$SYS/x', '/'.repeat(100)]) assert.ok(!isTopicName(name), name)
  for (const filter of ['#', '+', 'a/+/b', '+/+/#', '/#', '$share/g/a'])
    assert.ok(isTopicFilter(filter), filter)
  for (const filter of ['', 'a#', '#/a', 'a+', '+a/b', 'a\0', '/'.repeat(100)]) {
    assert.ok(!isTopicFilter(filter), filter)
  }
})
