import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { closed, connect, received, start, tcp } from './connecting.ts'
import { connectPacket, publishPacket, rawClient, v5 } from './raw-client.ts'

const properties = {
  userProperties: { a: 'b', c: ['d', 'e'] },
  contentType: 'x',
  correlationData: Buffer.from('y'),
  messageExpiryInterval: 5,
}
const will = {
  topic: 'w',
  payload: Buffer.from('x'),
  qos: 1,
  retain: false,
  properties: { willDelayInterval: 1 },
} as const

/** Valid packets of a client, and some invalid ones. */
const vocabulary: readonly Packet[] = [
  connectPacket({ clientId: 'bad', will, username: 'u', password: Buffer.from('p') }),
  connectPacket({
    clientId: 'bad',
    clean: false,
    properties: { sessionExpiryInterval: 1, receiveMaximum: 2 },
  }),
  publishPacket(3, 'x', 0),
  publishPacket(3, 'x', 1),
  { ...publishPacket(4, 'x', 2), properties } as Packet,
  { cmd: 'puback', messageId: 1, reasonCode: 0x10, properties: { reasonString: 'r' } },
  { cmd: 'pubrec', messageId: 1, reasonCode: 0x80 },
  { cmd: 'pubrel', messageId: 4 },
  { cmd: 'pubcomp', messageId: 1 },
  {
    cmd: 'subscribe',
    messageId: 2,
    subscriptions: [{ topic: 'bad/#', qos: 2, nl: true, rap: true, rh: 1 }],
    properties: {},
  },
  { cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['bad/#', 'u'] },
  { cmd: 'pingreq' },
  { cmd: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'm' } },
  { cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 1 } },
]
const hello = generate(connectPacket({ clientId: 'bad' }), v5)

/** Replaces, inserts or cuts out bytes. */
const mutation = fc.record({
  at: fc.nat(80),
  cut: fc.nat(3),
  put: fc.uint8Array({ maxLength: 3 }),
})

function mutate(bytes: Buffer, { at, cut, put }: { at: number; cut: number; put: Uint8Array }): Buffer {
  const from = at % (bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + cut)])
}

test('the broker survives arbitrary MQTT 5 packets and serves other clients', async (t) => {
  const broker = await start(t)
  const good = await connect(t, tcp(broker), { protocolVersion: 5 })
  const isClosed = closed(good).then(() => 'closed')
  const messages = received(good)
  await good.subscribeAsync('good', { qos: 1 })
  const conversation = fc.array(fc.constantFrom(...vocabulary.map((packet) => generate(packet, v5))), {
    minLength: 1,
    maxLength: 6,
  })
  const said = fc.asyncProperty(
    conversation,
    fc.array(mutation, { maxLength: 4 }),
    fc.boolean(),
    fc.integer({ min: 1, max: 60 }),
    async (packets, mutations, isPolite, cut) => {
      const bytes = mutations.reduce(mutate, Buffer.concat(packets))
      const bad = rawClient(t, broker)
      if (isPolite) bad.send(hello)
      for (let at = 0; at < bytes.length; at += cut) bad.send(bytes.subarray(at, at + cut))
      bad.end()
      await bad.waitClosed()
    },
  )
  await fc.assert(said, { numRuns: 500 })
  await good.publishAsync('good', 'still here', { qos: 2 })
  assert.deepEqual(messages, ['good: still here'])
  assert.equal(await Promise.race([isClosed, 'open']), 'open')
})
