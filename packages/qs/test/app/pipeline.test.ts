import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'

const EVENTS = 'qs/v1/test-device/events'
const ACKS = 'qs/v1/test-device/acks'

test('an event becomes a row, its repetition a duplicate, another value under its id a conflict', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  const { client, next } = await listen(t, broker.url)
  const event = { schema: 1, event_id: 'test-001', device_id: 'test-device', event_type: 'test', value: 42 }

  await client.publishAsync(EVENTS, JSON.stringify(event), { qos: 1 })
  const stored = (await next(ACKS)) as { ts_server: string }
  assert.deepEqual(stored, { event_id: 'test-001', status: 'stored', ts_server: stored.ts_server })
  assert.match(stored.ts_server, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  const [row] = await query(
    'select event_id, device_id, event_type, value_num, value_text, unit, schema, meta from events',
  )
  assert.deepEqual(row, {
    event_id: 'test-001',
    device_id: 'test-device',
    event_type: 'test',
    value_num: 42,
    value_text: null,
    unit: null,
    schema: 1,
    meta: null,
  })

  await client.publishAsync(EVENTS, JSON.stringify(event), { qos: 1 })
  assert.deepEqual(await next(ACKS), { ...stored, status: 'duplicate' })

  await client.publishAsync(EVENTS, JSON.stringify({ ...event, value: 43 }), { qos: 1 })
  const conflict = (await next(ACKS)) as { status: string; error: { code: string } }
  assert.equal(conflict.status, 'rejected')
  assert.equal(conflict.error.code, 'EVENT_ID_CONFLICT')
  const letter = (await next('qs/v1/deadletter')) as { code: string; payload: string }
  assert.equal(letter.code, 'EVENT_ID_CONFLICT')
  assert.equal(letter.payload, JSON.stringify({ ...event, value: 43 }))
  assert.equal((await query('select from dead_letters')).length, 1)
  assert.deepEqual(
    await query(
      'select sum(messages)::int m, sum(received)::int r, sum(stored)::int s, sum(duplicate)::int d, sum(rejected)::int x from ingest_stats',
    ),
    [{ m: 3, r: 3, s: 1, d: 1, x: 1 }],
  )
})

test('an array is acked by an array in its order', { skip: mosquittoMissing }, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  const { client, next } = await listen(t, broker.url)
  const temp = (id: string, value: unknown) => ({
    schema: 1,
    event_id: id,
    device_id: 'test-device',
    event_type: 'temp',
    value,
    unit: 'C',
  })

  await client.publishAsync(
    EVENTS,
    JSON.stringify([temp('b', 21.5), temp('a', 22), temp('b', 21.5), temp('c', {})]),
    { qos: 1 },
  )
  const acks = (await next(ACKS)) as { event_id: string; status: string }[]
  assert.deepEqual(
    acks.map(({ event_id: id, status }) => [id, status]),
    [
      ['b', 'stored'],
      ['a', 'stored'],
      ['b', 'duplicate'],
      ['c', 'rejected'],
    ],
  )
  assert.deepEqual(await query('select event_id, value_num from events order by 1'), [
    { event_id: 'a', value_num: 22 },
    { event_id: 'b', value_num: 21.5 },
  ])
})
