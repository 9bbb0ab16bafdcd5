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

test('a packet other than PUBLISH is refused above 128 KiB', () => {
  const header = (first: number) => Buffer.from([first, 0x81, 0x80, 0x08])
  new Frames(1_000_000, () => assert.fail('no packet')).feed(header(0x30))
  for (const type of [1, ...Array.from({ length: 12 }, (_, n) => n + 4)]) {
    const frames = new Frames(1_000_000, () => assert.fail('no packet'))
    assert.throws(() => frames.feed(header(type << 4)), PacketTooLarge)
  }
})

test('a packet that arrives byte by byte is one buffer, and no list of them', () => {
  const payload = Buffer.alloc(1024 * 1024, 'payload')
  const expected = generate({ cmd: 'publish', topic: 't', payload, qos: 0, dup: false, retain: false })
  const found: Buffer[] = []
  const frames = new Frames(2 * payload.length, (frame) => found.push(copy(frame)))
  frames.feed(expected.subarray(0, 100))
  // The same buffer each time: a list of chunks would now hold its last byte in all places.
  const one = Buffer.alloc(1)
  for (const byte of expected.subarray(100)) {
    one[0] = byte
    frames.feed(one)
  }
  assert.equal(found.length, 1)
  assert.ok(found[0]?.equals(expected))
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

test('packets put back come again, and the PINGREQs among them are reported at once, however the stream is cut', () => {
  const packet = fc.oneof(
    { weight: 2, arbitrary: fc.constant({ cmd: 'pingreq' } as const) },
    { weight: 3, arbitrary: publishes },
  )
  const check = (packets: readonly Parameters<typeof generate>[0][], cut: number, patience: number) => {
    const expected = packets.map((each) => generate(each, { protocolVersion: 5 }))
    const stream = Buffer.concat(expected)
    const isPing = (bytes: Buffer) => bytes.equals(Buffer.from([0xc0, 0]))
    const found: Buffer[] = []
    let pings = 0
    let room = patience
    const frames: Frames = new Frames(1_000_000, (frame) => {
      if (isPing(copy(frame))) pings++
      else if (room > 0) {
        room--
        found.push(copy(frame))
      } else frame.putBack(() => pings++)
    })
    for (let at = 0; at < stream.length; at += cut) frames.feed(stream.subarray(at, at + cut))
    assert.equal(pings, expected.filter(isPing).length)
    for (let n = 0; n < packets.length; n++) {
      room = patience
      frames.release()
    }
    assert.deepEqual(
      found,
      expected.filter((bytes) => !isPing(bytes)),
    )
    assert.equal(pings, expected.filter(isPing).length)
    assert.equal(frames.waitingBytes, 0)
  }
  const cuts = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40_000 }))
  const streams = fc.array(packet, { minLength: 1, maxLength: 12 })
  fc.assert(fc.property(streams, cuts, fc.integer({ min: 1, max: 3 }), check), { numRuns: 200 })
})
