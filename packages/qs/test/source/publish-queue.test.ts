import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { MAX_PUBLISH_ID } from '../../src/source/packet-ids.ts'
import { PublishQueue } from '../../src/source/publish-queue.ts'

type Sent = readonly [payload: string, packetId: number, dup: boolean]

/** Connects the queue and records what it sends. */
function connect(publishQueue: PublishQueue, receiveMaximum: number, sessionPresent = true): Sent[] {
  const sent: Sent[] = []
  publishQueue.connected(
    ({ payload }, packetId, isRedelivery) => sent.push([payload, packetId, isRedelivery]),
    {
      receiveMaximum,
      sessionPresent,
    },
  )
  return sent
}

const payloads = (sent: readonly Sent[]) => sent.map(([payload]) => payload)

test('messages added without a connection are sent on the next one, in order', () => {
  const publishQueue = new PublishQueue()
  publishQueue.add('t', 'a')
  publishQueue.add('t', 'b')
  assert.deepEqual(payloads(connect(publishQueue, 10)), ['a', 'b'])
  assert.equal(publishQueue.size, 2)
})

test('the Receive Maximum of the broker is respected, and a PUBACK makes room for the next message', () => {
  const publishQueue = new PublishQueue()
  const sent = connect(publishQueue, 2)
  for (const payload of ['a', 'b', 'c', 'd']) publishQueue.add('t', payload)
  assert.deepEqual(payloads(sent), ['a', 'b'])
  publishQueue.acknowledged(sent[0]?.[1] ?? 0)
  assert.deepEqual(payloads(sent), ['a', 'b', 'c'])
  assert.equal(publishQueue.size, 3)
})

test('unacknowledged messages have distinct packet identifiers, none of them that of SUBSCRIBE', () => {
  const publishQueue = new PublishQueue()
  const sent = connect(publishQueue, 100)
  for (let index = 0; index < 100; index++) publishQueue.add('t', String(index))
  const ids = sent.map(([, packetId]) => packetId)
  assert.equal(new Set(ids).size, 100)
  assert.ok(ids.every((id) => id >= 1 && id <= MAX_PUBLISH_ID))
})

test('packet identifiers wrap around without reusing an unacknowledged one', () => {
  const publishQueue = new PublishQueue()
  const sent = connect(publishQueue, 2)
  publishQueue.add('t', 'stays')
  const stays = sent[0]?.[1] ?? 0
  for (let index = 0; index < 70_000; index++) {
    publishQueue.add('t', 'x')
    const [, packetId] = sent.pop() as Sent
    if (packetId === stays || packetId < 1 || packetId > MAX_PUBLISH_ID) assert.fail(String(packetId))
    publishQueue.acknowledged(packetId)
  }
  assert.equal(publishQueue.size, 1)
})

test('after a reconnect unacknowledged messages are sent again with their packet identifiers, as DUP', () => {
  const publishQueue = new PublishQueue()
  const before = connect(publishQueue, 10)
  publishQueue.add('t', 'a')
  publishQueue.add('t', 'b')
  publishQueue.acknowledged(before[0]?.[1] ?? 0)
  publishQueue.disconnected()
  publishQueue.add('t', 'c')
  assert.deepEqual(payloads(before), ['a', 'b'])
  const after = connect(publishQueue, 10, true)
  assert.deepEqual(after[0], ['b', before[1]?.[1], true])
  assert.deepEqual(after[1]?.[0], 'c')
  assert.equal(after[1]?.[2], false)
})

test('if the broker has lost the session nothing is marked as DUP', () => {
  const publishQueue = new PublishQueue()
  connect(publishQueue, 10)
  publishQueue.add('t', 'a')
  publishQueue.disconnected()
  assert.deepEqual(
    connect(publishQueue, 10, false).map(([payload, , dup]) => [payload, dup]),
    [['a', false]],
  )
})

test('messages sent again after a reconnect respect the Receive Maximum of the broker', () => {
  const publishQueue = new PublishQueue()
  connect(publishQueue, 5)
  for (const payload of ['a', 'b', 'c', 'd', 'e', 'f']) publishQueue.add('t', payload)
  publishQueue.disconnected()
  const sent = connect(publishQueue, 2)
  assert.deepEqual(payloads(sent), ['a', 'b'])
  publishQueue.acknowledged(sent[0]?.[1] ?? 0)
  assert.deepEqual(payloads(sent), ['a', 'b', 'c'])
})

test('a PUBACK for an unknown packet identifier changes nothing', () => {
  const publishQueue = new PublishQueue()
  const sent = connect(publishQueue, 1)
  publishQueue.add('t', 'a')
  publishQueue.add('t', 'b')
  publishQueue.acknowledged(65_535)
  publishQueue.acknowledged(60_000)
  assert.deepEqual(payloads(sent), ['a'])
})

test('beyond ten thousand waiting messages the oldest is given up and counted', () => {
  const publishQueue = new PublishQueue()
  for (let index = 0; index < 10_003; index++) publishQueue.add('t', String(index))
  assert.equal(publishQueue.givenUp, 3)
  assert.equal(publishQueue.size, 10_000)
  assert.equal(connect(publishQueue, 1)[0]?.[0], '3')
})

test('beyond 16 MiB the oldest waiting message is given up and counted, however few there are', () => {
  const publishQueue = new PublishQueue()
  const mebibyte = 'x'.repeat(1024 * 1024 - 1)
  for (let index = 0; index < 20; index++) publishQueue.add('t', mebibyte + String.fromCharCode(97 + index))
  assert.deepEqual([publishQueue.givenUp, publishQueue.size], [4, 16])
  assert.equal(connect(publishQueue, 1)[0]?.[0].at(-1), 'e')
})

test('sent messages no longer count towards the 16 MiB limit', () => {
  const publishQueue = new PublishQueue()
  const sent = connect(publishQueue, 1)
  for (let index = 0; index < 100; index++) {
    publishQueue.add('t', 'x'.repeat(1024 * 1024))
    publishQueue.acknowledged(sent.at(-1)?.[1] ?? 0)
  }
  assert.deepEqual([publishQueue.givenUp, publishQueue.size], [0, 0])
})

test('unacknowledged messages are not given up in favour of waiting ones', () => {
  const publishQueue = new PublishQueue()
  connect(publishQueue, 1)
  publishQueue.add('t', 'under way')
  for (let index = 0; index < 10_001; index++) publishQueue.add('t', String(index))
  assert.equal(publishQueue.givenUp, 1)
  publishQueue.disconnected()
  assert.deepEqual(payloads(connect(publishQueue, 1)), ['under way'])
})

test('a broker with a Receive Maximum of 65,535 that never answers does not hang the process', async () => {
  const script = `
    import { PublishQueue } from ${JSON.stringify(new URL('../../src/source/publish-queue.ts', import.meta.url).href)}
    const publishQueue = new PublishQueue()
    const ids = new Set()
    publishQueue.connected((message, packetId) => ids.add(packetId), { receiveMaximum: 65535, sessionPresent: true })
    for (let index = 0; index < 65_600; index++) publishQueue.add('t', '')
    console.log(ids.size, publishQueue.size)`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--conditions=source', '--input-type=module', '--eval', script],
    // It ends a search for a free identifier that never ends; loading tsx alone takes seconds on a busy machine.
    { timeout: 60_000, killSignal: 'SIGKILL' },
  )
  assert.equal(stdout, '10000 20000\n')
})

test('a message on which the broker closes three connections is given up and counted', () => {
  const publishQueue = new PublishQueue()
  publishQueue.add('t', 'poison')
  publishQueue.add('t', 'good')
  for (let round = 0; round < 3; round++) {
    assert.equal(connect(publishQueue, 1)[0]?.[0], 'poison')
    publishQueue.disconnected()
  }
  assert.equal(connect(publishQueue, 1)[0]?.[0], 'good')
  assert.equal(publishQueue.givenUp, 1)
})

test('whatever the connection does, no message vanishes and the Receive Maximum is respected', () => {
  const step = fc.constantFrom('add', 'add', 'add', 'acknowledge', 'acknowledge', 'reconnect', 'disconnect')
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 100 }),
      fc.integer({ min: 1, max: 5 }),
      (steps, receiveMaximum) => {
        const publishQueue = new PublishQueue()
        const taken = new Set<string>()
        let sent: Sent[] = []
        let added = 0
        const acknowledge = () => {
          const [payload, packetId] = sent.shift() ?? []
          if (payload === undefined || packetId === undefined) return false
          taken.add(payload)
          publishQueue.acknowledged(packetId)
          return true
        }
        for (const each of steps) {
          if (each === 'add') publishQueue.add('t', String(added++))
          else if (each === 'acknowledge') acknowledge()
          else {
            publishQueue.disconnected()
            sent = each === 'reconnect' ? connect(publishQueue, receiveMaximum) : []
          }
          assert.ok(sent.length <= receiveMaximum)
          assert.equal(new Set(sent.map(([, id]) => id)).size, sent.length)
        }
        publishQueue.disconnected()
        sent = connect(publishQueue, receiveMaximum)
        while (acknowledge());
        assert.equal(taken.size + publishQueue.givenUp, added)
        assert.equal(publishQueue.size, 0)
      },
    ),
    { numRuns: 300 },
  )
})
