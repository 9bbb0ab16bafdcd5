import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'

const EVENTS = 'qs/v1/flood/events'
const ACKS = 'qs/v1/flood/acks'

test('a flood of poison is kept up to the rate and counted beyond it; all are rejected, other devices lose nothing', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const settings = { DEAD_LETTER_RATE: '50' }
  const { pipeline, query, databaseUrl } = await startPipeline(t, broker.url, { settings })
  const { client, received } = await listen(t, broker.url)
  const poison = Array.from({ length: 400 }, (_, n) =>
    client.publishAsync(EVENTS, `nonsense ${n}`, { qos: 1 }),
  )
  await Promise.all(poison)
  const scraps = Array.from({ length: 100 }, (_, n) => `{"event_id":"scrap-${n}"}`)
  await client.publishAsync(EVENTS, `[${scraps.join(',')}]`, { qos: 1 })
  const good = '{"schema":1,"event_id":"good","device_id":"flood","event_type":"t"}'
  await client.publishAsync(EVENTS, good, { qos: 1 })
  await client.publishAsync('qs/v1/neighbour/events', 'nonsense', { qos: 1 })
  await until(() => received.get(ACKS)?.length === 402, 'an ack for every message')
  await until(() => received.has('qs/v1/neighbour/acks'), 'the ack of the neighbour')

  const acks = (received.get(ACKS) ?? []).flatMap((json) => JSON.parse(json) as { status: string })
  assert.equal(acks.filter(({ status }) => status === 'rejected').length, 500)
  assert.equal(acks.filter(({ status }) => status === 'stored').length, 1)

  const letters = await query('select device_id, count(*)::int as n from dead_letters group by 1 order by 1')
  const kept = Number(letters[0]?.n)
  assert.ok(kept >= 50 && kept < 100, String(kept))
  assert.deepEqual(letters[1], { device_id: 'neighbour', n: 1 })
  const counted = await query(
    'select device_id, sum(letters)::int as n, count(distinct code)::int as codes, sum(bytes)::int > 0 as bytes from dead_letters_counted group by 1',
  )
  assert.deepEqual(counted, [{ device_id: 'flood', n: 500 - kept, codes: 2, bytes: true }])
  const stats = await query(
    'select sum(received)::int as received, sum(stored)::int as stored, sum(rejected)::int as rejected from ingest_stats',
  )
  assert.deepEqual(stats, [{ received: 502, stored: 1, rejected: 501 }])
  assert.equal(pipeline.accounting.difference, 0)
  // A dead letter is published after its ack.
  const announced = () => received.get('qs/v1/deadletter')?.length ?? 0
  await until(() => announced() > kept, 'the letter of the neighbour')
  assert.equal(announced(), kept + 1, 'only kept dead letters are published')

  const metrics = await pipeline.metrics.registry.metrics()
  const values = [...metrics.matchAll(/^qs_dead_letters_only_counted_total\{.*\} (\d+)$/gm)].map(([, n]) =>
    Number(n),
  )
  assert.equal(
    values.reduce((sum, value) => sum + value, 0),
    500 - kept,
  )
  const listed = await runCommand(['deadletter', 'ls', '--limit', '1'], { DATABASE_URL: databaseUrl })
  assert.match(listed.stdout, /Only counted[\s\S]*\d+ × INVALID_JSON of flood/)
})

test('an array of a thousand zeros has one device ack and one dead letter with the whole array', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  const { client, next } = await listen(t, broker.url)
  const zeros = `[${'0,'.repeat(999)}0]`
  await client.publishAsync(EVENTS, zeros, { qos: 1 })
  const ack = (await next(ACKS)) as { event_id: null; status: string; error: { code: string } }
  assert.deepEqual([ack.event_id, ack.status, ack.error.code], [null, 'rejected', 'NOT_AN_EVENT'])
  assert.equal(((await next('qs/v1/deadletter')) as { payload: string }).payload, zeros)
  assert.deepEqual(await query("select convert_from(payload, 'UTF8') as payload from dead_letters"), [
    { payload: zeros },
  ])
})

test('payloads far above the limits are charged by their bytes', { skip: mosquittoMissing }, async (t) => {
  const broker = await startMosquitto(t)
  const settings = { DEAD_LETTER_BYTES: '1MiB' }
  const { query } = await startPipeline(t, broker.url, { settings })
  const { client, received } = await listen(t, broker.url)
  for (let n = 0; n < 4; n++) await client.publishAsync(EVENTS, 'x'.repeat(900_000), { qos: 1 })
  await until(() => received.get(ACKS)?.length === 4, 'the acks')
  assert.deepEqual(await query('select code, count(*)::int as n from dead_letters group by 1'), [
    { code: 'MESSAGE_TOO_LARGE', n: 2 },
  ])
  assert.deepEqual(await query('select letters::int, bytes::int from dead_letters_counted'), [
    { letters: 2, bytes: 1_800_000 },
  ])
})

test('device ids too long for a table key, and topics without one, are counted as others', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url, { settings: { DEAD_LETTER_RATE: '1' } })
  const { client } = await listen(t, broker.url)
  const id = '龙'.repeat(1_000)
  for (let n = 0; n < 5; n++) await client.publishAsync(`qs/v1/${id}/events`, 'x', { qos: 1 })
  const rows = await until(async () => {
    const found = await query('select device_id, sum(letters)::int as n from dead_letters_counted group by 1')
    return found[0]?.n === 4 && found
  }, 'four are counted')
  assert.deepEqual(rows, [{ device_id: '', n: 4 }])
})
