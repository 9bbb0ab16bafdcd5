import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { Outbox } from '../../src/source/outbox.ts'

type Sent = readonly [payload: string, packetId: number, dup: boolean]

/** Connects the outbox; what it sends is recorded. */
function connect(outbox: Outbox, receiveMaximum: number, sessionPresent = true): Sent[] {
  const sent: Sent[] = []
  outbox.connected(({ payload }, packetId, isRedelivery) => sent.push([payload, packetId, isRedelivery]), {
    receiveMaximum,
    sessionPresent,
  })
  return sent
}

const payloads = (sent: readonly Sent[]) => sent.map(([payload]) => payload)

test('what is added before there is a connection is sent when there is one, in its order', () => {
  const outbox = new Outbox()
  outbox.add('t', 'a')
  outbox.add('t', 'b')
  assert.deepEqual(payloads(connect(outbox, 10)), ['a', 'b'])
  assert.equal(outbox.size, 2)
})

test('no more are under way than the broker receives at once, and a PUBACK makes room for the next', () => {
  const outbox = new Outbox()
  const sent = connect(outbox, 2)
  for (const payload of ['a', 'b', 'c', 'd']) outbox.add('t', payload)
  assert.deepEqual(payloads(sent), ['a', 'b'])
  outbox.acknowledged(sent[0]?.[1] ?? 0)
  assert.deepEqual(payloads(sent), ['a', 'b', 'c'])
  assert.equal(outbox.size, 3)
})

test('messages under way have packet identifiers of their own, none of them that of SUBSCRIBE', () => {
  const outbox = new Outbox()
  const sent = connect(outbox, 100)
  for (let index = 0; index < 100; index++) outbox.add('t', String(index))
  const ids = sent.map(([, packetId]) => packetId)
  assert.equal(new Set(ids).size, 100)
  assert.ok(ids.every((id) => id >= 2 && id <= 65_535))
})

test('packet identifiers come round again without meeting one that is still under way', () => {
  const outbox = new Outbox()
  const sent = connect(outbox, 2)
  outbox.add('t', 'stays')
  const stays = sent[0]?.[1] ?? 0
  for (let index = 0; index < 70_000; index++) {
    outbox.add('t', 'x')
    const [, packetId] = sent.pop() as Sent
    if (packetId === stays || packetId < 2 || packetId > 65_535) assert.fail(String(packetId))
    outbox.acknowledged(packetId)
  }
  assert.equal(outbox.size, 1)
})

test('after a reconnect what is under way is sent again with its packet identifier, as DUP', () => {
  const outbox = new Outbox()
  const before = connect(outbox, 10)
  outbox.add('t', 'a')
  outbox.add('t', 'b')
  outbox.acknowledged(before[0]?.[1] ?? 0)
  outbox.disconnected()
  outbox.add('t', 'c')
  assert.deepEqual(payloads(before), ['a', 'b'])
  const after = connect(outbox, 10, true)
  assert.deepEqual(after[0], ['b', before[1]?.[1], true])
  assert.deepEqual(after[1]?.[0], 'c')
  assert.equal(after[1]?.[2], false)
})

test('where the broker has lost the session nothing is marked as DUP', () => {
  const outbox = new Outbox()
  connect(outbox, 10)
  outbox.add('t', 'a')
  outbox.disconnected()
  assert.deepEqual(
    connect(outbox, 10, false).map(([payload, , dup]) => [payload, dup]),
    [['a', false]],
  )
})

test('after a reconnect no more are sent again than the broker receives at once', () => {
  const outbox = new Outbox()
  connect(outbox, 5)
  for (const payload of ['a', 'b', 'c', 'd', 'e', 'f']) outbox.add('t', payload)
  outbox.disconnected()
  const sent = connect(outbox, 2)
  assert.deepEqual(payloads(sent), ['a', 'b'])
  outbox.acknowledged(sent[0]?.[1] ?? 0)
  assert.deepEqual(payloads(sent), ['a', 'b', 'c'])
})

test('a PUBACK for what is not under way changes nothing', () => {
  const outbox = new Outbox()
  const sent = connect(outbox, 1)
  outbox.add('t', 'a')
  outbox.add('t', 'b')
  outbox.acknowledged(1)
  outbox.acknowledged(60_000)
  assert.deepEqual(payloads(sent), ['a'])
})

test('beyond ten thousand the oldest that waits is given up and counted', () => {
  const outbox = new Outbox()
  for (let index = 0; index < 10_003; index++) outbox.add('t', String(index))
  assert.equal(outbox.givenUp, 3)
  assert.equal(outbox.size, 10_000)
  assert.equal(connect(outbox, 1)[0]?.[0], '3')
})

test('beyond 16 MiB the oldest that waits is given up and counted, however few they are', () => {
  const outbox = new Outbox()
  const mebibyte = 'x'.repeat(1024 * 1024 - 1)
  for (let index = 0; index < 20; index++) outbox.add('t', mebibyte + String.fromCharCode(97 + index))
  assert.deepEqual([outbox.givenUp, outbox.size], [4, 16])
  assert.equal(connect(outbox, 1)[0]?.[0].at(-1), 'e')
})

test('what was sent no longer counts towards the 16 MiB that may wait', () => {
  const outbox = new Outbox()
  const sent = connect(outbox, 1)
  for (let index = 0; index < 100; index++) {
    outbox.add('t', 'x'.repeat(1024 * 1024))
    outbox.acknowledged(sent.at(-1)?.[1] ?? 0)
  }
  assert.deepEqual([outbox.givenUp, outbox.size], [0, 0])
})

test('what is under way is not given up for what waits', () => {
  const outbox = new Outbox()
  connect(outbox, 1)
  outbox.add('t', 'under way')
  for (let index = 0; index < 10_001; index++) outbox.add('t', String(index))
  assert.equal(outbox.givenUp, 1)
  outbox.disconnected()
  assert.deepEqual(payloads(connect(outbox, 1)), ['under way'])
})

test('a broker that takes 65,535 at once and answers none of them does not hang the process', async () => {
  const script = `
    import { Outbox } from ${JSON.stringify(new URL('../../src/source/outbox.ts', import.meta.url).href)}
    const outbox = new Outbox()
    const ids = new Set()
    outbox.connected((message, packetId) => ids.add(packetId), { receiveMaximum: 65535, sessionPresent: true })
    for (let index = 0; index < 65_600; index++) outbox.add('t', '')
    console.log(ids.size, outbox.size)`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--conditions=source', '--input-type=module', '--eval', script],
    { timeout: 6_000, killSignal: 'SIGKILL' },
  )
  assert.equal(stdout, '10000 20000\n')
})

test('a message at which the broker ends the connection is given up after the third, and counted', () => {
  const outbox = new Outbox()
  outbox.add('t', 'poison')
  outbox.add('t', 'good')
  for (let round = 0; round < 3; round++) {
    assert.equal(connect(outbox, 1)[0]?.[0], 'poison')
    outbox.disconnected()
  }
  assert.equal(connect(outbox, 1)[0]?.[0], 'good')
  assert.equal(outbox.givenUp, 1)
})

test('nothing vanishes whatever the connection does, and the broker is never overrun', () => {
  const step = fc.constantFrom('add', 'add', 'add', 'acknowledge', 'acknowledge', 'reconnect', 'disconnect')
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 100 }),
      fc.integer({ min: 1, max: 5 }),
      (steps, receiveMaximum) => {
        const outbox = new Outbox()
        const taken = new Set<string>()
        let sent: Sent[] = []
        let added = 0
        const acknowledge = () => {
          const [payload, packetId] = sent.shift() ?? []
          if (payload === undefined || packetId === undefined) return false
          taken.add(payload)
          outbox.acknowledged(packetId)
          return true
        }
        for (const each of steps) {
          if (each === 'add') outbox.add('t', String(added++))
          else if (each === 'acknowledge') acknowledge()
          else {
            outbox.disconnected()
            sent = each === 'reconnect' ? connect(outbox, receiveMaximum) : []
          }
          assert.ok(sent.length <= receiveMaximum)
          assert.equal(new Set(sent.map(([, id]) => id)).size, sent.length)
        }
        outbox.disconnected()
        sent = connect(outbox, receiveMaximum)
        while (acknowledge());
        assert.equal(taken.size + outbox.givenUp, added)
        assert.equal(outbox.size, 0)
      },
    ),
    { numRuns: 300 },
  )
})
