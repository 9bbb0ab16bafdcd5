import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generate } from 'mqtt-packet'
import { PacketSizes } from '../../../src/embedded/broker/packet-size-guard.ts'

function publish(payloadBytes: number): Buffer {
  const payload = Buffer.alloc(payloadBytes, 0xff)
  return generate({ cmd: 'publish', topic: 't', payload, qos: 0, dup: false, retain: false })
}

function inChunks(stream: Buffer, chunkBytes: number): readonly Buffer[] {
  const count = Math.ceil(stream.length / chunkBytes)
  return Array.from({ length: count }, (_, i) => stream.subarray(i * chunkBytes, (i + 1) * chunkBytes))
}

test('a packet is too large only above the limit, however the stream is cut', () => {
  const sizes = fc.array(fc.oneof(fc.nat(300), fc.nat(40_000)), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(
      sizes,
      fc.integer({ min: 1, max: 50_000 }),
      fc.integer({ min: 1, max: 9_000 }),
      (payloads, max, cut) => {
        const packets = payloads.map(publish)
        const guard = new PacketSizes({ maxFirstBytes: max, maxPacketBytes: max })
        const found = inChunks(Buffer.concat(packets), cut).map((chunk) => guard.oversized(chunk))
        const first = packets.find((packet) => packet.length > max)
        assert.equal(found.find((size) => size !== null) ?? null, first?.length ?? null)
      },
    ),
    { numRuns: 200 },
  )
})

test('a packet above the limit is detected by its header, before its body arrives', () => {
  const guard = new PacketSizes({ maxFirstBytes: 1_000, maxPacketBytes: 1_000 })
  assert.equal(guard.oversized(publish(200_000).subarray(0, 3)), null)
  assert.equal(guard.oversized(publish(200_000).subarray(3, 4)), publish(200_000).length)
})

test('the first packet has its own limit', () => {
  const guard = new PacketSizes({ maxFirstBytes: 100, maxPacketBytes: 1_000 })
  assert.equal(guard.isPastFirst, false)
  assert.equal(guard.oversized(publish(80).subarray(0, 40)), null)
  assert.equal(guard.isPastFirst, false)
  assert.equal(guard.oversized(publish(80).subarray(40)), null)
  assert.equal(guard.isPastFirst, true)
  assert.equal(guard.oversized(publish(800)), null)
  const other = new PacketSizes({ maxFirstBytes: 100, maxPacketBytes: 1_000 })
  assert.equal(other.oversized(publish(200)), publish(200).length)
})
