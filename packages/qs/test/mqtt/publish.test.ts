import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generate, type IPublishPacket, type Packet } from 'mqtt-packet'
import type { Frames } from '../../src/mqtt/frames.ts'
import { Output } from '../../src/mqtt/output.ts'
import { PROPERTY } from '../../src/mqtt/properties.ts'
import { IncomingPublish } from '../../src/mqtt/publish-packet.ts'
import { framed, publishes, read } from './packets.ts'

const essence = (packet: Packet | undefined) => {
  const { topic, payload, qos, retain, dup, messageId } = packet as IPublishPacket
  return { topic, payload: String(payload), qos, retain, dup, messageId: qos > 0 ? messageId : 0 }
}

/** Writes again what was read. */
function rewritten(bytes: Buffer, from: 4 | 5, to: 4 | 5): Buffer {
  const written: Buffer[] = []
  const output = new Output(to, (chunk) => written.push(chunk))
  framed(bytes, (frame) => {
    const publish = new IncomingPublish(from === 5)
    publish.read(frame)
    const { topic, payload, qos, dup, retain, packetId, properties } = publish
    const { forwarded } = properties
    const outgoing = { topic, payload, qos, dup, retain, packetId, forwarded }
    output.publish({ ...outgoing, expirySeconds: null, subscriptionIds: [] })
  })
  output.flush()
  return Buffer.concat(written)
}

test('a PUBLISH of MQTT 5 is read and written byte for byte as mqtt-packet does', () => {
  const check = (packet: IPublishPacket) => {
    const bytes = generate(packet, { protocolVersion: 5 })
    assert.deepEqual(rewritten(bytes, 5, 5), bytes)
  }
  fc.assert(fc.property(publishes, check), { numRuns: 500 })
})

test('between 5 and 3.1.1 only its properties are lost', () => {
  const check = (packet: IPublishPacket) => {
    const four = rewritten(generate(packet, { protocolVersion: 5 }), 5, 4)
    assert.deepEqual(essence(read(four, 4)[0]), essence(packet))
    const { properties: _lost, ...rest } = packet
    const five = rewritten(generate(rest, { protocolVersion: 4 }), 4, 5)
    assert.deepEqual(essence(read(five, 5)[0]), essence(packet))
  }
  fc.assert(fc.property(publishes, check), { numRuns: 200 })
})

test('expiry and subscription identifiers are read by mqtt-packet as they were written', () => {
  const written: Buffer[] = []
  const output = new Output(5, (bytes) => written.push(bytes))
  const packet = { topic: 't', payload: 'x', qos: 1, dup: false, retain: false, packetId: 7 } as const
  const forwarded = Buffer.from('\x03\x00\x01c')
  output.publish({ ...packet, forwarded, expirySeconds: 600, subscriptionIds: [1, 300_000] })
  output.maxBytes = 15
  assert.equal(output.publish({ ...packet, forwarded, expirySeconds: 600, subscriptionIds: [] }), false)
  output.flush()
  const [publish] = read(Buffer.concat(written), 5) as readonly IPublishPacket[]
  assert.deepEqual(
    { ...publish?.properties },
    { messageExpiryInterval: 600, subscriptionIdentifier: [1, 300_000], contentType: 'c' },
  )
})

test('a topic is decoded once while it stays the same, and anew when it changes', () => {
  const publish = new IncomingPublish(false)
  const topicOf = (topic: string) =>
    framed(generate({ cmd: 'publish', topic, payload: 'x', qos: 0, dup: false, retain: false }), (frame) => {
      publish.read(frame)
      return publish.topic
    })
  assert.deepEqual(['a/b', 'a/b', 'a/c', 'a', 'ä/b'].map(topicOf), ['a/b', 'a/b', 'a/c', 'a', 'ä/b'])
})

test('malformed messages are refused with their reason', () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['QoS 3', '36060001740001' + '00', 0x81],
    ['a packet identifier of 0', '3205000174' + '0000', 0x81],
    ['a topic beyond the end', '3004000974' + '78', 0x81],
    ['a topic that is not UTF-8', '30040001ff00', 0x81],
    ['an unknown property', '3006000174' + '027f00', 0x81],
    ['a truncated property', '3008000174' + '040300ff61', 0x81],
    ['a repeated property', '3008000174' + '0401000101', 0x82],
    ['properties beyond the end', '3004000174' + '09', 0x81],
  ]
  for (const [what, hex, reason] of cases) {
    const act = (frame: Frames) => new IncomingPublish(true).read(frame)
    assert.throws(() => framed(Buffer.from(hex, 'hex'), act), { reason }, what)
  }
})

test('a topic alias is a number of the packet and is not forwarded', () => {
  const packet = { cmd: 'publish', topic: 't', payload: 'x', qos: 0, dup: false, retain: false } as const
  const properties = { topicAlias: 3, messageExpiryInterval: 9, contentType: 'c' }
  framed(generate({ ...packet, properties }, { protocolVersion: 5 }), (frame) => {
    const publish = new IncomingPublish(true)
    publish.read(frame)
    const { numbers, forwarded } = publish.properties
    assert.deepEqual([numbers.get(PROPERTY.topicAlias), numbers.get(PROPERTY.messageExpiry)], [3, 9])
    assert.deepEqual(forwarded, Buffer.from('\x03\x00\x01c'))
  })
})
