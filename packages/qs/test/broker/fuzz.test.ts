import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { lasting, type PureClient, publish, pureBroker, received, subscribe } from './pure-broker.ts'

/** `npm run fuzz -- --messages 20000` runs as many conversations; `npm test` a few. */
const CONVERSATIONS = Number(process.env.FUZZ_MESSAGES ?? 300)
const QOS = [0, 1, 2] as const

const id = fc.integer({ min: 1, max: 4 })
const topic = fc.constantFrom('a', 'a/b', 'r', '$own/a')
const filter = fc.constantFrom('a', 'a/+', '#', '$share/g/a', '+/b')
/** Valid packets of a client after its CONNECT. */
const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc
    .record({
      topic,
      id,
      qos: fc.constantFrom(...QOS),
      retain: fc.boolean(),
      dup: fc.boolean(),
      expiry: fc.nat(3),
    })
    .map(({ topic, id, qos, retain, dup, expiry }) =>
      publish(topic, 'x', {
        ...{ qos, retain, dup: dup && qos > 0, messageId: id },
        properties: { messageExpiryInterval: expiry, userProperties: { a: 'b' } },
      }),
    ),
  fc
    .record({
      filter,
      qos: fc.constantFrom(...QOS),
      rh: fc.nat(2),
      rap: fc.boolean(),
      identifier: fc.integer({ min: 1, max: 300 }),
    })
    .map(({ filter, qos, rh, rap, identifier }) =>
      subscribe(filter, { qos, rh, rap }, { subscriptionIdentifier: identifier }),
    ),
  filter.map((each): Packet => ({ cmd: 'unsubscribe', messageId: 7, unsubscriptions: [each] })),
  fc
    .record({ cmd: fc.constantFrom('puback', 'pubrec', 'pubrel', 'pubcomp'), id })
    .map(({ cmd, id }) => ({ cmd, messageId: id }) as Packet),
  fc.constant<Packet>({ cmd: 'pingreq' }),
)
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('packet' as const), packet }) },
  fc.record({ kind: fc.constantFrom('vanish', 'pass', 'stick', 'drain') }),
)
const mutation = fc.record({ at: fc.nat(60), cut: fc.nat(3), put: fc.uint8Array({ maxLength: 3 }) })

function mutated(bytes: Buffer, { at, cut, put }: { at: number; cut: number; put: Uint8Array }): Buffer {
  const from = at % (bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + cut)])
}

/** Another client is served, whatever the first one sent; `pureBroker` fails if an answer cannot be parsed. */
async function assertAlive(connect: ReturnType<typeof pureBroker>['connect']): Promise<void> {
  const watcher = await connect('watcher')
  await watcher.send(subscribe('alive'))
  await watcher.send(publish('alive', 'yes', { qos: 1, messageId: 1 }))
  assert.deepEqual(received(watcher), ['alive yes'])
  await watcher.vanish()
}

test('valid conversations of two clients never throw, and what waits for them is bounded and then gone', async () => {
  const conversation = fc.asyncProperty(
    fc.array(fc.tuple(fc.nat(1), step), { maxLength: 40 }),
    fc.constantFrom<4 | 5>(4, 5),
    async (steps, version) => {
      const { connect, clock, limits, sessions } = pureBroker()
      const options = version === 5 ? lasting(60, { receiveMaximum: 3 }) : { clean: false }
      const names = ['one', 'two']
      const clients: PureClient[] = []
      for (const name of names) clients.push(await connect(name, options, version))
      for (const [who, each] of steps) {
        const client = clients[who] as PureClient
        if (client.isClosed || each.kind === 'vanish') {
          await client.vanish()
          clients[who] = await connect(names[who] as string, options, version)
        } else if (each.kind === 'packet') await client.send((each as { packet: Packet }).packet)
        else if (each.kind === 'pass') clock.pass(1_000)
        else if (each.kind === 'stick') client.stuckBytes = 100_000
        else await client.drain()
        assert.ok(limits.waiting <= steps.length * 4, `${limits.waiting} messages wait`)
      }
      await assertAlive(connect)
      for (const [who, client] of clients.entries()) {
        await client.vanish()
        sessions.end(names[who] as string)
      }
      assert.equal(limits.waiting, 0)
    },
  )
  await fc.assert(conversation, { numRuns: CONVERSATIONS })
})

test('mutilated packets end at most the connection that sent them', async () => {
  const conversation = fc.asyncProperty(
    fc.array(packet, { minLength: 1, maxLength: 6 }),
    fc.array(mutation, { minLength: 1, maxLength: 4 }),
    fc.constantFrom<4 | 5>(4, 5),
    async (packets, mutations, version) => {
      const { connect } = pureBroker()
      const bytes = packets.map((each) => generate(each, { protocolVersion: version }))
      const client = await connect('bad', {}, version)
      await client.sendBytes(mutations.reduce(mutated, Buffer.concat(bytes)))
      await client.vanish()
      await assertAlive(connect)
    },
  )
  await fc.assert(conversation, { numRuns: CONVERSATIONS })
})
