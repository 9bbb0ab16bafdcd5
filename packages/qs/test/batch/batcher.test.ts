import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { Batcher } from '../../src/batch/batcher.ts'
import type { Delivery } from '../../src/pipeline/delivery.ts'

/** A delivery with its name as the topic and a payload of the given size. */
const deliveryOf = (name: string, { bytes = 1 } = {}): Delivery => ({
  topic: name,
  payload: Buffer.alloc(bytes),
  redelivered: false,
  receivedAt: { epochMs: 0, micros: 0 },
  settle: () => {},
})

interface Write {
  readonly names: readonly string[]
  readonly bytes: number
  finish(): Promise<void>
  fail(error: Error): Promise<void>
}

/** A batcher whose writes the test ends. */
function underControl(options: { writers?: number; maxBytes?: number; worthAnotherBytes?: number } = {}) {
  const timers: (() => void)[] = []
  const writes: Write[] = []
  const failures: unknown[] = []
  let inFlight = 0
  let most = 0
  const batcher = new Batcher({
    writers: 1,
    maxBytes: 1000,
    worthAnotherBytes: 0,
    clock: {
      after: (_, act) => {
        timers.push(act)
        return () => {}
      },
    },
    ...options,
    write: (batch) => {
      most = Math.max(most, ++inFlight)
      return new Promise((resolve, reject) => {
        const end = (settle: () => void) => {
          inFlight--
          settle()
          return turn()
        }
        writes.push({
          names: batch.map(({ topic }) => topic),
          bytes: batch.reduce((sum, { payload }) => sum + payload.length, 0),
          finish: () => end(resolve),
          fail: (error) => end(() => reject(error)),
        })
      })
    },
    onFailure: (error) => failures.push(error),
  })
  return { batcher, writes, failures, timers, mostInFlight: () => most }
}

const namesOf = (writes: readonly Write[]) => writes.map(({ names }) => names.join(''))

test('a lone delivery is written at once, without waiting for others', async () => {
  const { batcher, writes } = underControl()
  batcher.push(deliveryOf('a'))
  await Promise.resolve()
  assert.deepEqual(namesOf(writes), ['a'])
})

test('deliveries from one read go together', async () => {
  const { batcher, writes } = underControl()
  for (const name of 'abc') batcher.push(deliveryOf(name))
  assert.deepEqual(namesOf(writes), [])
  await turn()
  assert.deepEqual(namesOf(writes), ['abc'])
})

test('while every writer is busy deliveries gather, and the next batch takes them all', async () => {
  const { batcher, writes } = underControl()
  batcher.push(deliveryOf('a'))
  await turn()
  for (const name of 'bcd') {
    batcher.push(deliveryOf(name))
    await turn()
  }
  assert.deepEqual(namesOf(writes), ['a'])
  await writes[0]?.finish()
  assert.deepEqual(namesOf(writes), ['a', 'bcd'])
})

test('a second writer takes deliveries that arrive while the first is busy, and a third delivery waits', async () => {
  const { batcher, writes } = underControl({ writers: 2 })
  for (const name of 'abc') {
    batcher.push(deliveryOf(name))
    await turn()
  }
  assert.deepEqual(namesOf(writes), ['a', 'b'])
  await writes[1]?.finish()
  assert.deepEqual(namesOf(writes), ['a', 'b', 'c'])
})

test('a second writer starts when enough bytes wait, or after a long wait', async () => {
  const { batcher, writes, timers } = underControl({ writers: 2, worthAnotherBytes: 10 })
  batcher.push(deliveryOf('a'))
  await turn()
  batcher.push(deliveryOf('b', { bytes: 5 }))
  await turn()
  assert.deepEqual(namesOf(writes), ['a'])
  batcher.push(deliveryOf('c', { bytes: 5 }))
  await turn()
  assert.deepEqual(namesOf(writes), ['a', 'bc'])
  await writes[1]?.finish()
  timers.pop()?.()

  batcher.push(deliveryOf('d'))
  await turn()
  assert.deepEqual(namesOf(writes), ['a', 'bc'])
  timers.pop()?.()
  assert.deepEqual(namesOf(writes), ['a', 'bc', 'd'])
  assert.equal(timers.length, 0)
})

test('a batch holds bytes up to the limit and not one more', async () => {
  const { batcher, writes } = underControl({ writers: 9, maxBytes: 10 })
  for (const [name, bytes] of [
    ['a', 5],
    ['b', 5],
    ['c', 10],
    ['d', 1],
    ['e', 10],
  ] as const)
    batcher.push(deliveryOf(name, { bytes }))
  await turn()
  assert.deepEqual(namesOf(writes), ['ab', 'c', 'd', 'e'])
})

test('a message larger than the limit forms its own batch, whole', async () => {
  const { batcher, writes } = underControl({ writers: 9, maxBytes: 10 })
  batcher.push(deliveryOf('a'))
  batcher.push(deliveryOf('b', { bytes: 500 }))
  batcher.push(deliveryOf('c'))
  await turn()
  assert.deepEqual(
    writes.map(({ names, bytes }) => [names.join(''), bytes]),
    [
      ['a', 1],
      ['b', 500],
      ['c', 1],
    ],
  )
})

test('messages without a payload are written too', async () => {
  const { batcher, writes } = underControl({ worthAnotherBytes: 10 })
  for (const name of 'ab') batcher.push(deliveryOf(name, { bytes: 0 }))
  await turn()
  batcher.push(deliveryOf('c', { bytes: 0 }))
  await writes[0]?.finish()
  assert.deepEqual(namesOf(writes), ['ab', 'c'])
})

test('a message that did not fit is taken by the next batch even if nothing else arrives', async () => {
  const { batcher, writes } = underControl({ maxBytes: 2 })
  batcher.push(deliveryOf('a', { bytes: 2 }))
  batcher.push(deliveryOf('b', { bytes: 2 }))
  await turn()
  assert.deepEqual(namesOf(writes), ['a'])
  await writes[0]?.finish()
  assert.deepEqual(namesOf(writes), ['a', 'b'])
})

test('a failed write is reported, and nothing more is written', async () => {
  const { batcher, writes, failures } = underControl()
  const error = new Error('42P01')
  batcher.push(deliveryOf('a'))
  await turn()
  batcher.push(deliveryOf('b'))
  await writes[0]?.fail(error)
  batcher.push(deliveryOf('c'))
  await turn()
  assert.deepEqual(failures, [error])
  assert.deepEqual(namesOf(writes), ['a'])
})

test('a failure of one writer stops the others too, once their write has ended', async () => {
  const { batcher, writes } = underControl({ writers: 2 })
  for (const name of 'abc') {
    batcher.push(deliveryOf(name))
    await turn()
  }
  await writes[0]?.fail(new Error('42P01'))
  await writes[1]?.finish()
  batcher.push(deliveryOf('d'))
  await turn()
  assert.deepEqual(namesOf(writes), ['a', 'b'])
})

test('in any sequence, each message is written once, in order, within the limits', async () => {
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ bytes: fc.integer({ min: 0, max: 15 }) }),
    },
    { weight: 1, arbitrary: fc.constant('turn' as const) },
    { weight: 2, arbitrary: fc.nat(3) },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, writers) => {
        const maxBytes = 20
        const { batcher, writes, mostInFlight } = underControl({ writers, maxBytes })
        const finished = new Set<Write>()
        const finishOne = async (n: number) => {
          const open = writes.filter((write) => !finished.has(write))
          const write = open[n % Math.max(1, open.length)]
          if (write === undefined) return false
          finished.add(write)
          await write.finish()
          return true
        }
        const sent: string[] = []
        for (const each of steps) {
          if (each === 'turn') await turn()
          else if (typeof each === 'number') await finishOne(each)
          else {
            const name = `${sent.length},`
            sent.push(name)
            batcher.push(deliveryOf(name, each))
          }
        }
        await turn()
        while (await finishOne(0)) await turn()

        assert.deepEqual(
          writes.flatMap(({ names }) => names),
          sent,
        )
        assert.ok(mostInFlight() <= writers)
        for (const { names, bytes } of writes) {
          assert.ok(names.length === 1 || (names.length > 1 && bytes <= maxBytes))
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('twenty thousand deliveries are written in order', async () => {
  const { batcher, writes } = underControl({ maxBytes: 7 })
  const sent = Array.from({ length: 20_000 }, (_, index) => String(index))
  for (const name of sent) batcher.push(deliveryOf(name))
  await turn()
  for (let at = 0; at < writes.length; at++) await writes[at]?.finish()
  assert.deepEqual(
    writes.flatMap(({ names }) => names),
    sent,
  )
})

test('a written message is not kept in memory while others wait behind it', async () => {
  setFlagsFromString('--expose_gc')
  const collect = runInNewContext('gc') as () => void
  const ends: (() => void)[] = []
  const batcher = new Batcher({
    writers: 1,
    maxBytes: 1,
    worthAnotherBytes: 0,
    clock: { after: () => () => {} },
    write: () => new Promise((resolve) => ends.push(resolve)),
    onFailure: (error) => assert.fail(String(error)),
  })
  const payloads: WeakRef<Buffer>[] = []
  for (let index = 0; index < 100; index++) {
    const delivery = deliveryOf(String(index), { bytes: 10_000 })
    payloads.push(new WeakRef(delivery.payload))
    batcher.push(delivery)
  }
  await turn()
  for (let written = 0; written < 50; written++) {
    ends.pop()?.()
    await turn()
  }
  collect()
  await turn()
  collect()
  const held = payloads.filter((payload) => payload.deref() !== undefined).length
  // Fifty wait, one is being written.
  assert.ok(held <= 52, `${held} of 100 payloads are held, 50 of them written`)
})
