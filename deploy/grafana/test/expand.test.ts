import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expand } from './support/expand.ts'

const choice = {
  from: new Date('2026-11-24T18:00:00.123Z'),
  to: new Date('2026-11-25T18:00:00Z'),
  intervalMs: 60_000,
  variables: { device: "o'brien", devices: ['a', "b'c"], odd: 'a"b', macro: '$word(x)', none: [] },
}

test('macros expand as in the manual', () => {
  assert.equal(
    expand('$__timeFilter(e.ts)', choice),
    "e.ts BETWEEN '2026-11-24T18:00:00Z' AND '2026-11-25T18:00:00Z'",
  )
  assert.equal(expand('$__timeFrom() $__timeTo()', choice), "'2026-11-24T18:00:00Z' '2026-11-25T18:00:00Z'")
  assert.equal(expand('$__interval_ms / 1000.0', choice), '60000 / 1000.0')
})

test('values are written as in the browser', () => {
  assert.equal(expand('d = ${device:sqlstring}', choice), "d = 'o''brien'")
  assert.equal(expand('d in (${devices:sqlstring})', choice), "d in ('a','b''c')")
  assert.equal(expand('${odd:sqlstring}', choice), `'a\\"b'`)
  assert.equal(expand('${device:percentencode}', choice), 'o%27brien')
  assert.equal(expand('${devices:percentencode} ${none:percentencode}', choice), '%7Ba%2Cb%27c%7D %7B%7D')
})

test('a macro in a value runs, as on the server, unless the value is encoded', () => {
  assert.throws(() => expand('${macro:sqlstring}', choice), /unknown macro \$word\(x\)/)
  assert.equal(expand('${macro:percentencode}', choice), '%24word%28x%29')
})

test('unknown macros and formats are refused', () => {
  for (const sql of ['$__timeGroup(ts, 1m)', '${other:sqlstring}', '$device', '${device}', '${device:csv}'])
    assert.throws(() => expand(sql, choice), /unknown|not expanded/)
})
