import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generate, type Packet, parser } from 'mqtt-packet'
import { PUBACK } from '../../src/source/packets.ts'
import { Transmit } from '../../src/source/transmit.ts'

const VERSIONS = [4, 5] as const

/** The packets that mqtt-packet reads from bytes. */
function parse(bytes: Buffer, protocolVersion: 4 | 5): Packet[] {
  const packets: Packet[] = []
  const reader = parser({ protocolVersion })
  reader.on('packet', (packet) => packets.push(packet))
  reader.on('error', (error: Error) => assert.fail(error))
  assert.equal(reader.parse(bytes), 0, 'bytes are left over')
  return packets
}

/** The packets sent, as mqtt-packet reads them, and the number of writes. */
async function transmitted(protocolVersion: 4 | 5, say: (transmit: Transmit) => void) {
  const writes: Buffer[] = []
  const transmit = new Transmit((bytes) => writes.push(bytes), protocolVersion === 5)
  say(transmit)
  await Promise.resolve()
  const bytes = Buffer.concat(writes)
  return { bytes, writes: writes.length, packets: parse(bytes, protocolVersion) }
}

test('a PUBACK is four bytes in both versions', async () => {
  for (const version of VERSIONS) {
    const { bytes, packets } = await transmitted(version, (transmit) => transmit.answer(PUBACK, 0xabcd))
    assert.deepEqual([...bytes], [0x40, 2, 0xab, 0xcd])
    assert.equal(packets[0]?.cmd, 'puback')
    assert.equal(packets[0]?.messageId, 0xabcd)
  }
})

test('a PUBLISH has exactly the bytes that mqtt-packet would write', async () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', 'x'.repeat(127), 'x'.repeat(128), 'ä'.repeat(10_000)),
  )
  const message = fc.record({
    topic: fc.string({ unit: 'grapheme', minLength: 1 }).filter((topic) => !/[+#\0]/.test(topic)),
    payload: text,
    packetId: fc.option(fc.integer({ min: 1, max: 65_535 })),
    dup: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(
      message,
      fc.constantFrom(...VERSIONS),
      async ({ topic, payload, packetId, dup }, protocolVersion) => {
        const again = dup && packetId !== null
        const { bytes } = await transmitted(protocolVersion, (transmit) =>
          transmit.publish(topic, payload, packetId, again),
        )
        const expected = generate(
          {
            cmd: 'publish',
            topic,
            payload,
            qos: packetId === null ? 0 : 1,
            retain: false,
            dup: again,
            ...(packetId !== null && { messageId: packetId }),
          },
          { protocolVersion },
        )
        assert.deepEqual(bytes, expected)
      },
    ),
    { numRuns: 500 },
  )
})

test('payloads around the size steps of the length field are read back whole', async () => {
  for (const version of VERSIONS) {
    for (const length of [
      0, 100, 121, 122, 123, 124, 16_370, 16_376, 16_377, 16_378, 16_384, 2_097_140, 2_097_152,
    ]) {
      const { packets } = await transmitted(version, (transmit) =>
        transmit.publish('t/1', 'x'.repeat(length), 5),
      )
      const [packet] = packets
      assert.ok(packets.length === 1 && packet?.cmd === 'publish')
      assert.equal(packet.payload.length, length)
      assert.equal(packet.messageId, 5)
    }
  }
})

test('thousands of packets due at once leave in one write, in order', async () => {
  for (const version of VERSIONS) {
    const { packets, writes } = await transmitted(version, (transmit) => {
      for (let index = 1; index <= 3000; index++) {
        transmit.publish('qs/v1/dev-1/acks', `{"n":${index}}`, null)
        transmit.answer(PUBACK, index)
      }
      transmit.packet(generate({ cmd: 'pingreq' }))
    })
    assert.equal(writes, 1)
    assert.equal(packets.length, 6001)
    assert.equal(packets.at(-1)?.cmd, 'pingreq')
    for (let index = 1; index <= 3000; index++) {
      const [publish, puback] = packets.slice(2 * index - 2, 2 * index)
      assert.ok(publish?.cmd === 'publish' && publish.payload.toString() === `{"n":${index}}`)
      assert.ok(puback?.cmd === 'puback' && puback.messageId === index)
    }
  }
})

test('written bytes are not overwritten by later packets', async () => {
  const writes: Buffer[] = []
  const transmit = new Transmit((bytes) => writes.push(bytes), true)
  for (const payload of ['first', 'second', 'third']) {
    transmit.publish('t', payload, null)
    transmit.flush()
  }
  transmit.publish('t', 'fourth', null)
  await Promise.resolve()
  assert.deepEqual(
    parse(Buffer.concat(writes), 5).map((packet) => packet.cmd === 'publish' && packet.payload.toString()),
    ['first', 'second', 'third', 'fourth'],
  )
  assert.equal(writes.length, 4)
})

test('without pending packets there is no write', async () => {
  const { writes } = await transmitted(5, (transmit) => transmit.flush())
  assert.equal(writes, 0)
})

test('half of a surrogate pair is still sent as valid UTF-8', async () => {
  const { packets } = await transmitted(5, (transmit) => {
    transmit.publish('t', 'a\ud800b', null)
    transmit.answer(PUBACK, 1)
  })
  assert.equal(packets[0]?.cmd === 'publish' && packets[0].payload.toString(), 'a\ufffdb')
  assert.equal(packets[1]?.cmd, 'puback')
})

test('a topic longer than MQTT allows does not corrupt the packets after it', async () => {
  const { packets } = await transmitted(5, (transmit) => {
    try {
      transmit.publish('d'.repeat(65_536), 'lost', null)
    } catch {
      // An error is as good as omitting it.
    }
    transmit.publish('t', 'next', null)
  })
  assert.equal(packets.length, 1)
  assert.ok(packets[0]?.cmd === 'publish' && packets[0].topic === 't')
})
