import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PubackTally } from './puback-tally.ts'

function tallyOf(connections: number, messages: number) {
  const seen: number[] = []
  const tally = new PubackTally({
    connections,
    eventsPerMessage: 10,
    onPuback: (message) => seen.push(message),
  })
  for (let message = 0; message < messages; message++) tally.expect()
  return { tally, seen }
}

test('messages take turns on the connections, whose PUBACKs may come in any order', () => {
  const { tally, seen } = tallyOf(2, 4)
  for (const [connection, packetId] of [
    [1, 1],
    [1, 2],
    [0, 1],
    [0, 2],
  ] as const)
    tally.take(connection, packetId)
  assert.deepEqual(seen, [1, 3, 0, 2])
  assert.equal(tally.confirmed, 40)
  assert.deepEqual(tally.faults(), [])
})

test('a PUBACK out of order on its connection is a fault, and so is a missing one', () => {
  const { tally } = tallyOf(1, 2)
  tally.take(0, 2)
  assert.deepEqual(tally.faults(), [
    'events without PUBACK: 20',
    'odd PUBACKs: 1, among them 2 on connection 0 instead of 1',
  ])
})

test('packet identifiers start again after 65,535', () => {
  const { tally } = tallyOf(1, 65_536)
  for (let packetId = 1; packetId <= 65_535; packetId++) tally.take(0, packetId)
  tally.take(0, 1)
  assert.deepEqual(tally.faults(), [])
})
