import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type IPublishPacket, type Packet, parser } from 'mqtt-packet'
import { Frames } from '../../src/mqtt/frames.ts'
import { isTopicName } from '../../src/mqtt/topics.ts'

export const topicText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 300 })
  .filter((topic) => isTopicName(topic) && topic.isWellFormed())

export const text = fc
  .string({ unit: 'grapheme', maxLength: 200 })
  .filter((each) => each.isWellFormed() && !each.includes('\0'))

const names = text.filter((name) => name !== '' && name !== '__proto__')

/** Any PUBLISH of a client, with payloads on both sides of each size boundary of the remaining length. */
export const publishes: fc.Arbitrary<IPublishPacket> = fc
  .record({
    topic: topicText,
    payload: fc
      .oneof(fc.nat(300), fc.integer({ min: 15_900, max: 16_600 }))
      .map((size) => Buffer.alloc(size, 'x')),
    qos: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
    retain: fc.boolean(),
    dup: fc.boolean(),
    messageId: fc.integer({ min: 1, max: 65_535 }),
    properties: fc.record(
      {
        contentType: text,
        responseTopic: topicText,
        correlationData: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
        payloadFormatIndicator: fc.boolean(),
        userProperties: fc.dictionary(names, text, { minKeys: 1, maxKeys: 5 }),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ qos, dup, ...rest }) => ({ cmd: 'publish' as const, qos, dup: dup && qos > 0, ...rest }))

/** As mqtt-packet reads it. */
export function read(bytes: Buffer, protocolVersion: 4 | 5): readonly Packet[] {
  const packets: Packet[] = []
  const reader = parser({ protocolVersion })
  reader.on('packet', (packet) => packets.push(packet))
  reader.on('error', (error) => assert.fail(error))
  reader.parse(bytes)
  return packets
}

/** Calls back with the one packet in these bytes. */
export function framed<T>(bytes: Buffer, use: (frame: Frames) => T): T {
  const results: T[] = []
  new Frames(bytes.length, (frame) => results.push(use(frame))).feed(bytes)
  assert.equal(results.length, 1)
  return results[0] as T
}
