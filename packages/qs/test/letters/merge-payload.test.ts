import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergePayload } from '../../src/letters/merge-payload.ts'

/** RFC 7396, appendix A. */
const CASES: readonly (readonly [target: string, patch: string, result: string])[] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
]

test('a merge patch follows RFC 7396', () => {
  for (const [target, patch, result] of CASES) assert.equal(mergePayload(target, patch), result, patch)
})

test('digits beyond a double survive, and keys special to JavaScript are ordinary keys', () => {
  assert.equal(
    mergePayload('{"n":12345678901234567890,"__proto__":{"a":1}}', '{"__proto__":{"b":1.10}}'),
    '{"n":12345678901234567890,"__proto__":{"a":1,"b":1.10}}',
  )
  assert.throws(() => mergePayload('{', '{}'), SyntaxError)
})
