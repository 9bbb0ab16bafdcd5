import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readEventId } from '../src/read-event-id.ts'

const idOf = (text: string) => readEventId(Buffer.from(text))

test('the id of an event is read wherever the fault is', () => {
  for (const text of [
    '{"event_id":"d-1","value":NaN}',
    '{"value":nan, "event_id" : "d-1"}',
    '{"meta":{"a":[1,2,]},"event_id":"d-1"',
    '{"event_id":"d-1","unit":"C}',
    "{'schema': 1, 'event_id': 'd-1', 'ok': True}",
    '\ufeff {"event_id":"d-1",}',
    '{"event_id":"\\u0064-1",,}',
    '{"event_id":"d-1"}\0\0',
  ]) {
    assert.equal(idOf(text), 'd-1', text)
  }
})

test('an id that is not certainly that of the event is not read', () => {
  for (const text of [
    '{"meta":{"event_id":"other"},"value":NaN}',
    '[{"event_id":"other"}]',
    '{"value":NaN}{"event_id":"other"}',
    '{"type":"event_id":"other"}',
    '{"note":"event_id","x":"other",}',
    '{"event_id":"cut',
    '{"event_id":7,}',
    '{"event_id":"a"b"}',
    '{"no":"te"s","event_id":"other"}',
    'event_id":"other"',
    '',
  ]) {
    assert.equal(idOf(text), null, text)
  }
})

test('in valid JSON without repeated keys it is the id that JSON.parse reads', () => {
  const event = fc.record(
    {
      value: fc.jsonValue(),
      meta: fc.record({ event_id: fc.string({ unit: 'binary' }) }),
      event_id: fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(event, fc.constantFrom(undefined, 1), (sent, space) => {
      assert.equal(idOf(JSON.stringify(sent, null, space)), sent.event_id ?? null)
    }),
    { numRuns: 1000 },
  )
})

test('reading ends for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      assert.doesNotThrow(() => readEventId(bytes))
    }),
    { numRuns: 5000 },
  )
})
