import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agedPayload } from '../../src/letters/judge-replay.ts'

const aged = (payload: string) => agedPayload(Buffer.from(payload), 1_000).toString()

test('every event of a payload gets older, regardless of what surrounds the JSON', () => {
  assert.equal(aged('{"value":1}'), '{"value":1,"age_ms":1000}')
  assert.equal(aged('[{"age_ms":0.5},{"age_ms":null}]'), '[{"age_ms":1000.5},{"age_ms":1000}]')
  assert.equal(aged('\uFEFF{"value":1}\0\0'), '{"value":1,"age_ms":1000}')
})

test('digits survive, and elements that are not events or have an unusable age are unchanged', () => {
  assert.equal(aged('{"value":9007199254740993}'), '{"value":9007199254740993,"age_ms":1000}')
  assert.equal(aged('[7,{"age_ms":-5},{"age_ms":"x"}]'), '[7,{"age_ms":-5},{"age_ms":"x"}]')
  assert.equal(aged('{"value":'), '{"value":')
})
