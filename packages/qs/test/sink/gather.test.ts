import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, eventJson } from '@qs-telemetry/testing/decoding.ts'
import type { Message } from '../../src/pipeline/message.ts'
import { deviceAckPayloads } from '../../src/reply/device-ack.ts'
import { CopyRows } from '../../src/sink/copy-rows.ts'
import { gather } from '../../src/sink/gather.ts'

const arrayOf = (...ids: readonly string[]) =>
  decode(`[${ids.map((id) => eventJson({ event_id: JSON.stringify(id) })).join(',')}]`)

const acksOf = (message: Message) =>
  deviceAckPayloads(
    message,
    Array.from({ length: message.size }, () => ({ kind: 'stored', tsServer: 'T' })),
    { topic: 'qs/v1/dev-1/acks', maxBytes: 1e6 },
  )

test('a message that released its events names the same ids in its device ack, also after decoding them again', () => {
  const ids = ['b', 'a', 'é"', 'c']
  const before = acksOf(arrayOf(...ids))
  const message = arrayOf(...ids)
  const first = message.elements
  gather([message], new CopyRows(), '2026-11-23T18:00:00Z')
  assert.ok(message.isReleased)
  assert.deepEqual(acksOf(message), before)
  assert.notEqual(message.elements, first)
  assert.deepEqual(message.elements, first)
  assert.deepEqual(acksOf(message), before)
})

test('a message with a rejection keeps its elements, and its events are still copied', () => {
  const rejected = decode(
    `[${eventJson({ event_id: '"x"' })},${eventJson({ event_id: '"y"', value: '[]' })}]`,
  )
  const { copy } = gather([rejected], new CopyRows(), '2026-11-23T18:00:00Z')
  assert.equal(copy?.rows, 1)
  assert.equal(rejected.isReleased, false)
})

test('a message that released its events keeps their warnings', () => {
  const warned = decode(
    `[${eventJson({ event_id: '"y"' })},${eventJson({ event_id: '"z"', ts_device: '"soon"' })}]`,
  )
  const before = acksOf(warned)
  gather([warned], new CopyRows(), '2026-11-23T18:00:00Z')
  assert.ok(warned.isReleased)
  assert.deepEqual([warned.warningAt(0), warned.warningAt(1)?.code], [null, 'TS_DEVICE_UNREADABLE'])
  assert.deepEqual(acksOf(warned), before)
})

test('the elements decoded at a time are bounded: a flood of bad ones waits for the next transaction', () => {
  let decoded = 0
  function* flood() {
    for (; decoded < 100; decoded++) yield decode(`[{"event_id":"x"}${',0'.repeat(999)}]`)
  }
  assert.equal(gather(flood(), new CopyRows(), '2026-11-23T18:00:00Z').messages.length, 10)
  assert.ok(decoded <= 10)
})

test('events that may be sealed are bounded too, so that fresh ones wait for few of them', () => {
  function* flood() {
    for (let i = 0; i < 100; i++)
      yield decode(
        `[${eventJson({ ts_device: '"2026-01-01T00:00:00Z"' })}${`,${eventJson({ ts_device: '"2026-01-01T00:00:00Z"' })}`.repeat(399)}]`,
      )
  }
  const { messages, old } = gather(flood(), new CopyRows(), '2026-11-23T18:00:00Z')
  assert.deepEqual([messages.length, old.length], [3, 1_200])
})

test('a day of now decides what may be sealed, not the time at which its message came', () => {
  const message = decode(`[${eventJson({ event_id: '"x"' })}]`)
  const later = new Date(Date.parse(message.tsServer) + 40 * 86_400_000).toISOString()
  assert.equal(gather([message], null, message.tsServer).old.length, 0)
  assert.equal(gather([message], null, later).old.length, 1)
})
