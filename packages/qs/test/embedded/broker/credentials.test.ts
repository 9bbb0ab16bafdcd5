import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matches } from '../../../src/embedded/broker/credentials.ts'

const expected = { username: 'board', password: 'sésame' }

test('the correct username and password match', () => {
  assert.ok(matches(expected, 'board', Buffer.from('sésame')))
})

test('wrong, partial or missing ones do not', () => {
  assert.ok(!matches(expected, 'board', Buffer.from('sesame')))
  assert.ok(!matches(expected, 'board', Buffer.from('sésame ')))
  assert.ok(!matches(expected, 'Board', Buffer.from('sésame')))
  assert.ok(!matches(expected, 'board', undefined))
  assert.ok(!matches(expected, undefined, Buffer.from('sésame')))
})
