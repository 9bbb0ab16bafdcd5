import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEAD_LETTER_CODES } from '@qs-telemetry/protocol'
import { rejection } from '../../src/pipeline/rejection.ts'

test('a rejection says what is wrong and then what to do', () => {
  assert.deepEqual(rejection('MISSING_FIELD', 'event_id is missing'), {
    kind: 'rejection',
    code: 'MISSING_FIELD',
    message:
      'event_id is missing. A required field is absent: schema, event_id, device_id and event_type are required.',
    trace: 'decode: MISSING_FIELD: event_id is missing',
    eventId: null,
  })
})

test('without a detail the message is the text of the code', () => {
  const { message, trace } = rejection('EMPTY_ARRAY', '')
  assert.equal(message, 'The array is empty. Send no message when there is nothing to send.')
  assert.equal(trace, 'decode: EMPTY_ARRAY')
})

test('the cause and the event id are kept if they are known', () => {
  const { trace, eventId } = rejection('STORAGE_REJECTED', '', { trace: '22P02', eventId: 'a' })
  assert.deepEqual([trace, eventId], ['22P02', 'a'])
})

test('every code says what to do in whole sentences', () => {
  for (const [code, text] of Object.entries(DEAD_LETTER_CODES)) {
    assert.match(code, /^[A-Z0-9_]+$/)
    assert.match(text, /^\w.*\.$/)
  }
})
