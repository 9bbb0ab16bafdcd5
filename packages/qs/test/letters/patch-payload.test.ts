import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patchPayload } from '../../src/letters/merge-payload.ts'

test('a patch changes each event of an array, and keeps all digits', () => {
  assert.equal(
    patchPayload('[{"a":9007199254740993},{"a":1,"b":2}]', '{"b":null,"schema":1}'),
    '[{"a":9007199254740993,"schema":1},{"a":1,"schema":1}]',
  )
  assert.equal(patchPayload('{"a":1}', '{"a":null}'), '{}')
})

test('a patch does not turn other values into events', () => {
  assert.equal(patchPayload('5', '{"schema":1}'), '5')
  assert.equal(patchPayload('[5,null,{"a":1}]', '{"schema":1}'), '[5,null,{"a":1,"schema":1}]')
})
