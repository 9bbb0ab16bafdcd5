import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AckTally } from './ack-tally.ts'
import { EventStream } from './event-stream.ts'

/** Nine messages are sent; with duplicates the tenth is an earlier one. */
function start({ resendEvery = 0, messages = 9, eventsPerMessage = 1 } = {}) {
  const stream = new EventStream({ devices: 3, eventsPerMessage, ids: 'ordered', boot: 7, resendEvery })
  const acked: number[] = []
  const onAck = (event: number) => acked.push(event)
  const tally = new AckTally(stream, { events: 100 * eventsPerMessage, eventsPerMessage, onAck })
  for (let message = 0; message < messages; message++) tally.expect(message)
  const ack = (event: number, status = 'stored') => ({ event_id: stream.idOf(event), status })
  const take = (acks: unknown) => tally.take(Buffer.from(JSON.stringify(acks)))
  return { stream, tally, acked, ack, take }
}

test('there are no faults if every event was acked as stored', () => {
  const { tally, ack, take, acked } = start()
  for (let event = 0; event < 9; event++) take(ack(event))
  assert.equal(tally.confirmed, 9)
  assert.deepEqual(tally.faults(), [])
  assert.deepEqual(acked, [0, 1, 2, 3, 4, 5, 6, 7, 8])
})

test('the acks of an array are counted one by one', () => {
  const { tally, ack, take } = start({ messages: 1, eventsPerMessage: 2 })
  take([ack(0), ack(1)])
  assert.equal(tally.confirmed, 2)
  assert.deepEqual(tally.faults(), [])
})

test('a missing device ack is named', () => {
  const { stream, tally, ack, take } = start()
  for (let event = 0; event < 9; event++) if (event !== 4) take(ack(event))
  assert.deepEqual(tally.faults(), [`missing device acks: 1, among them ${stream.idOf(4)}`])
})

const ODD = {
  'a second ack for an event sent once': (): readonly [number, string][] => [
    [0, 'stored'],
    [0, 'stored'],
  ],
  'a duplicate for an event sent once': (): readonly [number, string][] => [[0, 'duplicate']],
  'a rejection': (): readonly [number, string][] => [[0, 'rejected']],
  'an ack for an event that was not sent': (): readonly [number, string][] => [[9, 'stored']],
}

for (const [what, acks] of Object.entries(ODD)) {
  test(`an odd ack: ${what}`, () => {
    const { tally, ack, take } = start()
    for (const [event, status] of acks()) take(ack(event, status))
    assert.match(tally.faults().join('\n'), /^odd device acks: 1,/m)
  })
}

/** The event that the tenth message repeats. */
const AGAIN = 4

for (const order of [
  ['stored', 'duplicate'],
  ['duplicate', 'stored'],
]) {
  test(`an event sent twice may be ${order.join(' and then ')}`, () => {
    const { stream, tally, ack, take } = start({ resendEvery: 10, messages: 10 })
    assert.equal(stream.firstEventOf(9), AGAIN)
    for (let event = 0; event < 9; event++) if (event !== AGAIN) take(ack(event))
    for (const status of order) take(ack(AGAIN, status))
    assert.equal(tally.confirmed, 10)
    assert.deepEqual(tally.faults(), [])
  })
}

for (const status of ['stored', 'duplicate']) {
  test(`an event sent twice must not be ${status} twice`, () => {
    const { tally, ack, take } = start({ resendEvery: 10, messages: 10 })
    for (let event = 0; event < 9; event++) if (event !== AGAIN) take(ack(event))
    for (let time = 0; time < 2; time++) take(ack(AGAIN, status))
    assert.equal(tally.confirmed, 9)
    assert.match(tally.faults().join('\n'), /missing device acks: 1,[\s\S]*odd device acks: 1,/)
  })
}

test('an event sent twice and acked once lacks an ack', () => {
  const { tally, ack, take } = start({ resendEvery: 10, messages: 10 })
  for (let event = 0; event < 9; event++) take(ack(event))
  assert.match(tally.faults().join('\n'), /missing device acks: 1,/)
})
