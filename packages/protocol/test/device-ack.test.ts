import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ackFor } from '../src/device-ack.ts'

const read = (text: string) => ackFor(Buffer.from(text))

test('the ack of an object is one, that of an array as many as its elements', () => {
  assert.deepEqual(read('{"event_id":"a","status":"stored","ts_server":"2026-11-23T18:00:00.123456Z"}'), [
    { event_id: 'a', status: 'stored', ts_server: '2026-11-23T18:00:00.123456Z' },
  ])
  assert.deepEqual(read('[{"event_id":"a","status":"stored"},{"event_id":"b","status":"duplicate"}]'), [
    { event_id: 'a', status: 'stored' },
    { event_id: 'b', status: 'duplicate' },
  ])
})

test('the ack of a message that could not be read has no event id', () => {
  assert.deepEqual(
    read('{"event_id":null,"status":"rejected","error":{"code":"INVALID_JSON","message":"no"}}'),
    [{ event_id: null, status: 'rejected', error: { code: 'INVALID_JSON', message: 'no' } }],
  )
})

test('what is not JSON, or no device ack, is null', () => {
  for (const text of [
    '',
    '{',
    'null',
    '1',
    '"stored"',
    '{}',
    '[[]]',
    '[null]',
    '{"status":"stored"}',
    '{"event_id":"a"}',
    '{"event_id":1,"status":"stored"}',
  ]) {
    assert.equal(read(text), null, text)
  }
})

test('one element that is no device ack makes the whole message none', () => {
  assert.equal(read('[{"event_id":"a","status":"stored"},{"event_id":"b"}]'), null)
})

test('a status that the contract does not know is no device ack: nobody may forget an event for it', () => {
  assert.equal(read('{"event_id":"a","status":"queued"}'), null)
})
