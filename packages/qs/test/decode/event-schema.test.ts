import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventMessageSchema, EventSchema } from '@qs-telemetry/protocol/schemas'
import { decode, eventJson } from '@qs-telemetry/testing/decoding.ts'
import fc from 'fast-check'
import Value from 'typebox/value'

const isAccepted = (value: unknown): boolean =>
  decode(JSON.stringify(value)).elements.every(({ kind }) => kind === 'event')

const ascii = (maxLength: number) => fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength })

/** Events according to the published schema, in ASCII and within the default limits. */
const event = fc.record(
  {
    schema: fc.constant(1),
    event_id: ascii(128),
    device_id: fc.constant('dev-1'),
    event_type: ascii(128),
    value: fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      ascii(200),
      fc.boolean(),
      fc.constant(null),
    ),
    unit: fc.oneof(ascii(32), fc.constantFrom('', null)),
    ts_device: fc.oneof(
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.integer(),
      ascii(40),
      fc.constant(null),
    ),
    age_ms: fc.oneof(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), fc.constant(null)),
    meta: fc.oneof(
      fc.dictionary(ascii(10), fc.oneof(fc.integer(), ascii(20), fc.array(fc.boolean())), { maxKeys: 5 }),
      fc.constant(null),
    ),
  },
  { requiredKeys: ['schema', 'event_id', 'device_id', 'event_type'] },
)

/** Changes that make an event invalid under the schema. */
const mutation = fc.constantFrom<Readonly<Record<string, unknown>>>(
  { schema: undefined },
  { schema: 2 },
  { schema: '1' },
  { event_id: undefined },
  { event_id: '' },
  { event_id: 7 },
  { event_id: 'x'.repeat(129) },
  { device_id: undefined },
  { device_id: '' },
  { device_id: 'a/b' },
  { device_id: 'a+' },
  { device_id: '#' },
  { device_id: 'a\u0001' },
  { device_id: 'a\u0085' },
  { device_id: 'x'.repeat(129) },
  { event_type: undefined },
  { event_type: null },
  { event_type: 'x'.repeat(129) },
  { value: {} },
  { value: [1] },
  { value: 'x'.repeat(16_385) },
  { unit: 5 },
  { unit: 'x'.repeat(33) },
  { meta: [] },
  { meta: 'text' },
  { meta: 1 },
)

test('decode accepts every event that the published schema accepts', () => {
  fc.assert(
    fc.property(event, (sent) => {
      assert.equal(Value.Check(EventSchema, sent), true)
      assert.equal(isAccepted(sent), true)
    }),
    { numRuns: 2000 },
  )
})

test('decode rejects every event that the published schema refuses', () => {
  fc.assert(
    fc.property(event, mutation, (sent, change) => {
      const changed = JSON.parse(JSON.stringify({ ...sent, ...change })) as unknown
      assert.equal(Value.Check(EventSchema, changed), false)
      assert.equal(isAccepted(changed), false)
    }),
    { numRuns: 2000 },
  )
})

test('only for a device time of another type is decode more lenient than the schema', () => {
  const sent: unknown = JSON.parse(eventJson({ ts_device: 'true' }))
  assert.equal(Value.Check(EventSchema, sent), false)
  assert.equal(isAccepted(sent), true)
})

test('a message is one event or an array of 1 to 1,000', () => {
  const good: unknown = JSON.parse(eventJson())
  const array = (count: number) => Array.from({ length: count }, () => good)
  for (const [value, expected] of [
    [good, true],
    [array(1), true],
    [array(1000), true],
    [array(1001), false],
    [[], false],
    [null, false],
    [[good, null], false],
  ] as const) {
    assert.equal(Value.Check(EventMessageSchema, value), expected)
    assert.equal(isAccepted(value), expected)
  }
})
