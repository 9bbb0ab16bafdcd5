import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generate } from 'mqtt-packet'
import { Frames, PacketTooLarge } from '../../src/mqtt/frames.ts'
import { publishes } from './packets.ts'

const copy = ({ bytes, start, end }: Frames) => Buffer.from(bytes.subarray(start, end))

test('a stream yields the same packets, however it is cut', () => {
  const check = (packets: readonly Parameters<typeof generate>[0][], cut: number) => {
    const expected = packets.map((packet) => generate(packet, { protocolVersion: 5 }))
    const stream = Buffer.concat(expected)
    const found: Buffer[] = []
    const frames = new Frames(1_000_000, (frame) => found.push(copy(frame)))
    for (let at = 0; at < stream.length; at += cut) frames.feed(stream.subarray(at, at + cut))
    assert.deepEqual(found, expected)
    assert.equal(frames.waitingBytes, 0)
  }
  const cuts = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40_000 }))
  fc.assert(fc.property(fc.array(publishes, { minLength: 1, maxLength: 6 }), cuts, check), { numRuns: 100 })
})

test('a packet above the limit is refused at its fixed header', () => {
  const frames = new Frames(100, () => assert.fail('no packet'))
  frames.feed(Buffer.from([0x30]))
  assert.throws(() => frames.feed(Buffer.from([0xff, 0x7f])), PacketTooLarge)
})

test('a length of five bytes is malformed', () => {
  const frames = new Frames(100, () => assert.fail('no packet'))
  assert.throws(() => frames.feed(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 1])), /four bytes/)
})

test('while held it hands on nothing, and afterwards everything in order', () => {
  const found: number[] = []
  const frames = new Frames(100, (frame) => {
    found.push(frame.bytes[frame.start] as number)
    if (found.length === 2) frame.hold()
  })
  const ping = (type: number) => Buffer.from([type, 0])
  frames.feed(Buffer.concat([ping(1), ping(2), ping(3)]))
  frames.feed(ping(4))
  assert.deepEqual(found, [1, 2])
  frames.release()
  frames.feed(ping(5))
  assert.deepEqual(found, [1, 2, 3, 4, 5])
})
