import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'

const GOOD = '{"schema":1,"event_id":"good","device_id":"d","event_type":"t","value":1}'
const withField = (field: string) => `{"schema":1,"event_id":"bad","device_id":"d","event_type":"t",${field}}`

/** Messages that can never be stored as a whole. */
const MESSAGES: readonly (readonly [what: string, payload: string | Buffer, code: string, id?: string])[] = [
  ['an empty message', '', 'EMPTY_MESSAGE'],
  ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 'INVALID_UTF8'],
  ['a bare number', '42', 'NOT_AN_EVENT'],
  ['a bare string', '"hello"', 'NOT_AN_EVENT'],
  ['null', 'null', 'NOT_AN_EVENT'],
  ['an empty array', '[]', 'EMPTY_ARRAY'],
  ['half a message', GOOD.slice(0, 40), 'INVALID_JSON', 'good'],
  ['1 MB', `{"pad":"${'x'.repeat(1_000_000)}"}`, 'MESSAGE_TOO_LARGE'],
  ['10,000 levels', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 'MISSING_FIELD'],
  ['1,001 events', `[${Array.from({ length: 1001 }, () => '0').join(',')}]`, 'TOO_MANY_EVENTS'],
]

/** Elements that can never be stored, beside a good one. */
const ELEMENTS: readonly (readonly [what: string, element: string, code: string])[] = [
  ['U+0000 in the value', withField('"value":"a\\u0000b"'), 'INVALID_TEXT'],
  ['U+0000 in meta', withField('"meta":{"a":"\\u0000"}'), 'INVALID_META'],
  ['half a surrogate pair in the value', withField('"value":"\\ud800"'), 'INVALID_TEXT'],
  ['half a surrogate pair in meta', withField('"meta":{"\\udc00":1}'), 'INVALID_META'],
  ['a number beyond the range of a double', withField('"value":1e400'), 'INVALID_VALUE'],
  ['the same in meta', withField('"meta":{"a":1e400}'), 'INVALID_META'],
  ['a number of 131,072 digits', withField('"meta":{"a":1e131071}'), 'INVALID_META'],
  [
    'meta nested 10,000 deep',
    withField(`"meta":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`),
    'META_TOO_DEEP',
  ],
  ['a deep unknown field', withField(`"x":${'['.repeat(10_000)}${']'.repeat(10_000)}`), 'META_TOO_DEEP'],
  ['a type beyond an index entry', withField(`"event_type":"${'t'.repeat(3000)}"`), 'FIELD_TOO_LONG'],
  [
    "another device's id",
    '{"schema":1,"event_id":"bad","device_id":"other","event_type":"t"}',
    'DEVICE_ID_MISMATCH',
  ],
  ['a newer schema', '{"schema":2,"event_id":"bad","device_id":"d","event_type":"t"}', 'UNSUPPORTED_SCHEMA'],
  ['a value that is an object', withField('"value":{}'), 'INVALID_VALUE'],
  ['meta that is an array', withField('"meta":[1]'), 'INVALID_META'],
  ['an array in the array', '[1]', 'NOT_AN_EVENT'],
]

async function start(t: TestContext) {
  const broker = await startMosquitto(t)
  const running = await startPipeline(t, broker.url)
  return { ...running, ...(await listen(t, broker.url)) }
}

test('a message that can never be stored becomes one dead letter with its bytes, and is acked', {
  skip: mosquittoMissing,
}, async (t) => {
  const { client, next, query } = await start(t)
  for (const [what, payload, code, id = null] of MESSAGES) {
    await t.test(what, async () => {
      await client.publishAsync('qs/v1/d/events', payload, { qos: 1 })
      const ack = (await next('qs/v1/d/acks')) as {
        event_id: string | null
        status: string
        error: { code: string; message: string }
      }
      assert.deepEqual([ack.event_id, ack.status, ack.error.code], [id, 'rejected', code])
      assert.match(ack.error.message, /\w{3,}.*\.$/s)
      const letter = (await next('qs/v1/deadletter')) as {
        code: string
        payload: string
        payload_encoding?: 'base64'
      }
      assert.equal(letter.code, code)
      const bytes = Buffer.from(payload)
      assert.deepEqual(Buffer.from(letter.payload, letter.payload_encoding ?? 'utf8'), bytes)
      const rows = await query('delete from dead_letters returning code, payload, topic')
      assert.deepEqual(rows, [{ code, payload: bytes, topic: 'qs/v1/d/events' }])
    })
  }
  assert.deepEqual(await query('select from events'), [])
})

test('an element that can never be stored costs only itself', { skip: mosquittoMissing }, async (t) => {
  const { client, next, query } = await start(t)
  for (const [what, element, code] of ELEMENTS) {
    await t.test(what, async () => {
      await client.publishAsync('qs/v1/d/events', `[ ${element} ,\n${GOOD}]`, { qos: 1 })
      const acks = (await next('qs/v1/d/acks')) as { status: string; error?: { code: string } }[]
      assert.deepEqual(
        acks.map(({ status, error }) => [status, error?.code]),
        [
          ['rejected', code],
          ['stored', undefined],
        ],
      )
      const rows = await query('delete from dead_letters returning code, payload')
      assert.deepEqual(rows, [{ code, payload: Buffer.from(element) }])
      assert.equal((await query('delete from events returning event_id')).length, 1)
    })
  }
})

test('keys with a meaning in JavaScript are keys like any other', {
  skip: mosquittoMissing,
}, async (t) => {
  const { client, next, query } = await start(t)
  const event = withField(
    '"__proto__":{"admin":true},"constructor":1,"meta":{"__proto__":{"a":[1]},"n":12345678901234567890}',
  )
  await client.publishAsync('qs/v1/d/events', event, { qos: 1 })
  assert.equal(((await next('qs/v1/d/acks')) as { status: string }).status, 'stored')
  const [row] = await query('select meta::text from events')
  assert.equal(
    row?.meta,
    '{"n": 12345678901234567890, "_extra": {"__proto__": {"admin": true}, "constructor": 1}, "__proto__": {"a": [1]}}',
  )
})

test('an event that only PostgreSQL refuses is found among others and rejected alone', {
  skip: mosquittoMissing,
}, async (t) => {
  const { client, next, query } = await start(t)
  await query(`alter table events add constraint sane check (value_num is distinct from 13)`)
  const events = Array.from({ length: 200 }, (_, n) => ({
    schema: 1,
    event_id: `e${n}`,
    device_id: 'd',
    event_type: 't',
    value: n % 50 === 7 ? 13 : 1,
  }))
  await client.publishAsync('qs/v1/d/events', JSON.stringify(events), { qos: 1 })
  const acks = (await next('qs/v1/d/acks')) as {
    event_id: string
    status: string
    error?: { code: string }
  }[]
  const rejected = acks
    .filter(({ status }) => status === 'rejected')
    .map(({ event_id: id, error }) => [id, error?.code])
  assert.deepEqual(
    rejected,
    ['e7', 'e57', 'e107', 'e157'].map((id) => [id, 'STORAGE_REJECTED']),
  )
  assert.deepEqual(await query('select count(*)::int from events'), [{ count: 196 }])
  const letters = await query('select event_id, trace from dead_letters order by dead_letter_id')
  assert.equal(letters.length, 4)
  assert.match(String(letters[0]?.trace), /SQLSTATE 23514.*sane/)
})

test('a message on a topic without a device id is kept and not acked', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url, { settings: { MQTT_EVENTS_TOPIC: 'fleet/+/e' } })
  const { client, received } = await listen(t, broker.url)
  await client.publishAsync('fleet//e', GOOD, { qos: 1 })
  const rows = await until(async () => {
    const found = await query('select code, device_id from dead_letters')
    return found.length > 0 && found
  }, 'the dead letter')
  assert.deepEqual(rows, [{ code: 'TOPIC_MISMATCH', device_id: null }])
  assert.equal(received.has('qs/v1//acks'), false)
})
