import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Output } from '../../src/mqtt/output.ts'
import type { Level } from '../../src/mqtt/packet-types.ts'

const BOUNDARIES = [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]

/** As MQTT 5, 1.5.5 writes it: the shortest form of a Variable Byte Integer. */
function shortest(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...shortest(Math.floor(value / 128))]
}

function written(level: Level, packet: { forwarded?: Buffer; payload?: Buffer; subscriptionId?: number }) {
  const chunks: Buffer[] = []
  const output = new Output(level, (bytes) => chunks.push(bytes))
  const { forwarded = Buffer.alloc(0), payload = Buffer.alloc(0), subscriptionId } = packet
  const subscriptionIds = subscriptionId === undefined ? [] : [subscriptionId]
  const terms = { qos: 0, dup: false, retain: false, packetId: 0, expirySeconds: null } as const
  output.publish({ topic: '', payload, forwarded, subscriptionIds, ...terms })
  output.flush()
  return Buffer.concat(chunks)
}

/** A PUBLISH with an empty topic and this rest. */
function wanted(...rest: readonly (readonly number[] | Buffer)[]): Buffer {
  const bytes = Buffer.concat([Buffer.of(0, 0), ...rest.map((part) => Buffer.from(part))])
  return Buffer.concat([Buffer.of(0x30, ...shortest(bytes.length)), bytes])
}

test('the length of a packet, of its properties and a subscription identifier take as few bytes as possible', () => {
  for (const boundary of BOUNDARIES) {
    const bytes = Buffer.alloc(boundary, 'x')
    const less = bytes.subarray(0, Math.max(0, boundary - 2))
    assert.ok(written(4, { payload: less }).equals(wanted(less)), `a packet of ${boundary}`)
    assert.ok(
      written(5, { forwarded: bytes }).equals(wanted(shortest(boundary), bytes)),
      `properties of ${boundary}`,
    )
    if (boundary === 0) continue
    const identifier = [0x0b, ...shortest(boundary)]
    assert.ok(
      written(5, { subscriptionId: boundary }).equals(wanted([identifier.length], identifier)),
      `identifier ${boundary}`,
    )
  }
})
