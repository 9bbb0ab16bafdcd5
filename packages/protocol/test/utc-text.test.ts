import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utcText } from '../src/index.ts'

test('a time keeps its microseconds on the way to UTC', () => {
  assert.equal(utcText('2026-11-28T07:15:30.123456Z'), '2026-11-28T07:15:30.123456Z')
  assert.equal(utcText('2026-11-28T07:15:30.1234567+05:30'), '2026-11-28T01:45:30.123456Z')
  assert.equal(utcText('2026-11-28t07:15:30z'), '2026-11-28T07:15:30.000000Z')
  assert.equal(utcText('1969-12-31T23:59:59.999999-01:00'), '1970-01-01T00:59:59.999999Z')
})

test('a text that names no instant is null', () => {
  for (const text of ['', 'now', 'infinity', '2026-11-28T07:15:30', '2026-02-30T00:00:00Z'])
    assert.equal(utcText(text), null, text)
})
