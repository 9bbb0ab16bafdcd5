import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { Packets, type Publish } from '../../src/source/packets.ts'

const VERSIONS = [4, 5] as const
type Version = (typeof VERSIONS)[number]

/** The output, oldest first: PUBLISHes decoded, everything else as bytes. */
function read(chunks: readonly Buffer[], version: Version) {
  const out: (Publish | Buffer)[] = []
  const packets = new Packets(
    {
      onPublish: (publish) => out.push({ ...publish, payload: Buffer.from(publish.payload) }),
      onMalformed: ({ problem }) => {
        throw new Error(problem)
      },
      onAnswer: (type, packetId) => out.push(Buffer.from([type, packetId >> 8, packetId & 0xff])),
      onOther: (packet) => out.push(Buffer.from(packet)),
    },
    version === 5,
  )
  for (const chunk of chunks) packets.feed(chunk)
  return out
}

const written = (packet: Packet, protocolVersion: Version) => generate(packet, { protocolVersion })

/** Cuts bytes at offsets given as fractions of their length. */
function cut(bytes: Buffer, shares: readonly number[]): Buffer[] {
  const places = [0, ...shares.map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b)]
  return places.map((from, index) => bytes.subarray(from, places[index + 1] ?? bytes.length))
}

const publish = fc.record({
  topic: fc.string({ unit: 'grapheme', minLength: 1 }).filter((topic) => !/[+#\0]/.test(topic)),
  payload: fc.oneof(
    fc.uint8Array(),
    fc.constantFrom(0, 127, 128, 16_383, 16_384, 70_000).map((size) => new Uint8Array(size).fill(7)),
  ),
  qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  dup: fc.boolean(),
  retain: fc.boolean(),
  packetId: fc.integer({ min: 1, max: 65_535 }),
  properties: fc.constantFrom({}, { userProperties: { key: 'x'.repeat(200) } }, { contentType: 'json' }),
})
const other = fc.constantFrom<Packet>({ cmd: 'pingresp' }, { cmd: 'suback', messageId: 1, granted: [1] })

test('packets written by mqtt-packet are read, however the stream is split', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...VERSIONS),
      fc.array(fc.oneof({ weight: 3, arbitrary: publish }, { weight: 1, arbitrary: other }), {
        maxLength: 8,
      }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
      (version, packets, cuts) => {
        const expected: (Publish | Buffer)[] = []
        const bytes = packets.map((packet) => {
          if ('cmd' in packet) {
            const raw = written(packet, version)
            expected.push(raw)
            return raw
          }
          const { topic, qos, packetId, retain, properties } = packet
          const payload = Buffer.from(packet.payload)
          const dup = packet.dup && qos > 0
          expected.push({ topic, payload, qos, dup, packetId: qos === 0 ? 0 : packetId })
          return written(
            {
              cmd: 'publish',
              ...{ topic, payload, qos, dup, retain },
              ...(qos > 0 && { messageId: packetId }),
              ...(version === 5 && { properties }),
            },
            version,
          )
        })
        assert.deepEqual(read(cut(Buffer.concat(bytes), cuts), version), expected)
      },
    ),
  )
})

test('a PUBLISH received byte by byte is one PUBLISH', () => {
  const bytes = written(
    { cmd: 'publish', topic: 't', payload: 'hello', qos: 0, dup: false, retain: false },
    5,
  )
  const out = read(
    [...bytes].map((byte) => Buffer.from([byte])),
    5,
  )
  assert.deepEqual(out, [{ topic: 't', payload: Buffer.from('hello'), qos: 0, dup: false, packetId: 0 }])
})

test('an answer is read with any reason code and properties', () => {
  const properties = [0x26, 0, 1, 0x61, 0, 1, 0x62]
  for (const type of [4, 5, 6, 7]) {
    const first = (type << 4) | (type === 6 ? 2 : 0)
    const forms: readonly (readonly number[])[] = [
      [first, 2, 0x12, 0x34],
      [first, 3, 0x12, 0x34, 0x92],
      [first, 4, 0x12, 0x34, 0xfe, 0],
      [first, 4 + properties.length, 0x12, 0x34, 0, properties.length, ...properties],
    ]
    for (const form of forms)
      assert.deepEqual(read([Buffer.from(form)], 5), [Buffer.from([type, 0x12, 0x34])], form.join(' '))
  }
})

test('bytes that are not MQTT are refused, with the reason', () => {
  const refused: readonly (readonly [Version, readonly number[], RegExp])[] = [
    [4, [0x30, 0xff, 0xff, 0xff, 0xff, 0x01], /length of more than four bytes/],
    [4, [0x36, 5, 0, 1, 0x61, 0, 1], /QoS 3/],
    [4, [0x30, 0], /fields exceed its length/],
    [4, [0x30, 3, 0, 2, 0x61], /fields exceed its length/],
    [4, [0x32, 4, 0, 1, 0x61, 0], /fields exceed its length/],
    [5, [0x30, 3, 0, 1, 0x61], /fields exceed its length/],
    [5, [0x30, 5, 0, 1, 0x61, 9, 1], /fields exceed its length/],
    // The bytes of the next packet must not be used.
    [5, [0x30, 3, 0, 1, 0x61, 0xd0, 0x00], /fields exceed its length/],
  ]
  for (const [version, bytes, message] of refused) {
    assert.throws(() => read([Buffer.from(bytes)], version), message, bytes.join(' '))
  }
})

test('arbitrary bytes are read or refused, and no byte is read beyond the end', () => {
  fc.assert(
    fc.property(fc.constantFrom(...VERSIONS), fc.uint8Array({ maxLength: 64 }), (version, bytes) => {
      try {
        for (const packet of read([Buffer.from(bytes)], version)) {
          const size = Buffer.isBuffer(packet) ? packet.length : packet.payload.length
          assert.ok(size <= bytes.length)
        }
      } catch (error) {
        assert.match((error as Error).message, /^the broker sent /)
      }
    }),
    { numRuns: 2_000 },
  )
})
