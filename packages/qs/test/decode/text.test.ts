import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLonger, isStorable } from '../../src/decode/text.ts'

test('PostgreSQL stores every text except those with U+0000 or half of a surrogate pair', () => {
  for (const good of ['', 'a', '🚀', '\u0001', '\uffff', '\ufffd']) assert.equal(isStorable(good), true, good)
  for (const bad of ['\0', 'a\0b', '\ud83d', '\ude80\ud83d']) assert.equal(isStorable(bad), false)
})

test('length is measured in bytes of UTF-8', () => {
  const cases: readonly (readonly [text: string, bytes: number])[] = [
    ['', 0],
    ['abc', 3],
    ['ä', 2],
    ['€', 3],
    ['🚀', 4],
    ['a€🚀', 8],
  ]
  for (const [text, bytes] of cases) {
    assert.equal(isLonger(text, bytes), false, text)
    if (bytes > 0) assert.equal(isLonger(text, bytes - 1), true, text)
  }
})

test('isLonger agrees with TextEncoder for every text and limit', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.nat(90), (text, limit) => {
      assert.equal(isLonger(text, limit), new TextEncoder().encode(text).length > limit)
    }),
  )
})
