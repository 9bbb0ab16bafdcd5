import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expand } from './support/expand.ts'

const choice = {
  from: new Date('2026-11-24T18:00:00.123Z'),
  to: new Date('2026-11-25T18:00:00Z'),
  intervalMs: 60_000,
  variables: { device: "o'brien", devices: ['a', "b'c"], odd: '$__timeFilter(ts) ${device:sqlstring}' },
}

test('macros become what the manual says', () => {
  assert.equal(
    expand('$__timeFilter(e.ts)', choice),
    "e.ts BETWEEN '2026-11-24T18:00:00Z' AND '2026-11-25T18:00:00Z'",
  )
  assert.equal(expand('$__timeFrom() $__timeTo()', choice), "'2026-11-24T18:00:00Z' '2026-11-25T18:00:00Z'")
  assert.equal(expand('$__interval_ms / 1000.0', choice), '60000 / 1000.0')
})

test('values are quoted, and nothing in a value is a macro or a variable', () => {
  assert.equal(expand('d = ${device:sqlstring}', choice), "d = 'o''brien'")
  assert.equal(expand('d in (${devices:sqlstring})', choice), "d in ('a','b''c')")
  assert.equal(expand('${odd:sqlstring}', choice), "'$__timeFilter(ts) ${device:sqlstring}'")
})

test('what it does not know it refuses', () => {
  for (const sql of ['$__timeGroup(ts, 1m)', '${other:sqlstring}', '$device', '${device}', '${device:csv}'])
    assert.throws(() => expand(sql, choice), /unknown|not expanded/)
})
