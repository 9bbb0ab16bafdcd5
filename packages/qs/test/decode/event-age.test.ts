import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepted, eventJson, SERVER_TIME } from '@qs-telemetry/testing/decoding.ts'
import fc from 'fast-check'
import { earlier } from '../../src/decode/event-time.ts'

const times = (members: Readonly<Record<string, string>>) => {
  const { ts, tsDevice, meta, warning } = accepted(eventJson(members))
  return { ts, tsDevice, meta, warning: warning?.code ?? null }
}

test('without device time the event time is the server time less the age, to the microsecond', () => {
  for (const [age, ts] of [
    ['0', SERVER_TIME],
    ['1', '2026-11-23T18:00:00.122456Z'],
    ['0.457', '2026-11-23T18:00:00.122999Z'],
    ['1.5e3', '2026-11-23T17:59:58.623456Z'],
    ['7776000000', '2026-08-25T18:00:00.123456Z'],
    ['null', SERVER_TIME],
  ] as const)
    assert.deepEqual(times({ age_ms: age }), { ts, tsDevice: null, meta: null, warning: null }, age)
})

test('a plausible device time is the event time, whatever the age', () => {
  const { ts, warning } = times({ age_ms: '60000', ts_device: '"2026-11-23T17:30:00.123456Z"' })
  assert.deepEqual([ts, warning], ['2026-11-23T17:30:00.123456Z', null])
})

test('the age is used if the device time is in 1970 or unreadable', () => {
  assert.deepEqual(times({ age_ms: '60000', ts_device: '12' }), {
    ts: '2026-11-23T17:59:00.123456Z',
    tsDevice: '1970-01-01T00:00:12.000000Z',
    meta: null,
    warning: 'TS_DEVICE_IMPLAUSIBLE',
  })
  const { ts, warning } = times({ age_ms: '60000', ts_device: '"soon"' })
  assert.deepEqual([ts, warning], ['2026-11-23T17:59:00.123456Z', 'TS_DEVICE_UNREADABLE'])
})

test('a bad age does not cost the event, and gives a warning', () => {
  for (const age of ['-1', '"60"', '1e400', '1e300', '7776000001', 'true', '[60]', '{"ms":60}'])
    assert.deepEqual(
      times({ age_ms: age }),
      { ts: SERVER_TIME, tsDevice: null, meta: null, warning: 'AGE_UNUSABLE' },
      age,
    )
  // The warning about the value takes precedence.
  assert.equal(times({ age_ms: '-1', value: '9007199254740993' }).warning, 'VALUE_ROUNDED')
})

test('other unknown fields are kept as before', () => {
  assert.equal(times({ age_ms: '1', age: '1', ageMs: '2' }).meta, '{"_extra":{"age":1,"ageMs":2}}')
})

test('an earlier instant is exact to the microsecond', () => {
  const micros = fc.integer({ min: 0, max: 999 })
  const ageUs = fc.integer({ min: 0, max: 8_640_000_000_000_000 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), micros, ageUs, (epochMs, us, age) => {
      const at = earlier({ epochMs, micros: us }, age / 1000)
      assert.ok(Number.isInteger(at.epochMs) && at.micros >= 0 && at.micros < 1000)
      const lost = BigInt(epochMs) * 1000n + BigInt(us) - (BigInt(at.epochMs) * 1000n + BigInt(at.micros))
      // Beyond 2^53 / 1000 a double of microseconds has no thousandths.
      assert.ok(Math.abs(Number(lost) - age) <= 2)
    }),
  )
})
