import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ackFor } from '../src/device-ack.ts'

const read = (text: string) => ackFor(Buffer.from(text))

test('the ack of an object is one device ack, the ack of an array one for each element', () => {
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

test('a payload that is not JSON or not a device ack is null', () => {
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

test('one element that is not a device ack invalidates the whole message', () => {
  assert.equal(read('[{"event_id":"a","status":"stored"},{"event_id":"b"}]'), null)
})

test('an unknown status is not a device ack: no event may be forgotten for it', () => {
  assert.equal(read('{"event_id":"a","status":"queued"}'), null)
})
