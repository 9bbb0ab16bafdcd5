import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'

const SPACING_MS = 60_000.001
const event = (n: number, ageMs: number, extra = '') =>
  `{"schema":1,"event_id":"dev-1-${String(n).padStart(2, '0')}","device_id":"dev-1","event_type":"temp","value":${n},"age_ms":${ageMs}${extra}}`
/** One hour of events from a board without a clock, oldest first. */
const buffered = (sinceMs: number) =>
  Array.from({ length: 60 }, (_, n) => event(n, (59 - n) * SPACING_MS + sinceMs))

type Query = (sql: string) => Promise<readonly Record<string, unknown>[]>

async function prove(url: string, t: Parameters<typeof listen>[0], query: Query): Promise<void> {
  const { client, next } = await listen(t, url)
  const say = async (payload: string) => {
    await client.publishAsync('qs/v1/dev-1/events', payload, { qos: 1 })
    return [await next('qs/v1/dev-1/acks')].flat() as { status: string; warning?: { code: string } }[]
  }
  const statuses = async (payload: string) => (await say(payload)).map(({ status }) => status)
  const rows = () =>
    query(`
      select (extract(epoch from ts_server - ts) * 1000000)::bigint::int8::text as age_us, meta, ts_device
      from events order by event_id`)

  assert.deepEqual(await statuses(`[${buffered(1_500).join(',')}]`), new Array(60).fill('stored'))
  const stored = await rows()
  assert.deepEqual(
    stored,
    Array.from({ length: 60 }, (_, n) => ({
      age_us: String(Math.round(((59 - n) * SPACING_MS + 1_500) * 1000)),
      meta: null,
      ts_device: null,
    })),
  )
  // The device ack was lost: half a minute later all have a different age, and are still the same events.
  assert.deepEqual(await statuses(`[${buffered(31_500).join(',')}]`), new Array(60).fill('duplicate'))
  assert.deepEqual(await rows(), stored)

  const [bad] = await say(event(60, -5))
  assert.deepEqual([bad?.status, bad?.warning?.code], ['stored', 'AGE_UNUSABLE'])
  assert.equal((await rows()).at(-1)?.age_us, '0')

  // An older version kept the age in meta as an unknown field: its events are still the same.
  await query(`update events set meta = '{"_extra":{"age_ms":5}}' where event_id = 'dev-1-00'`)
  await query(`update events set meta = '{"a":1,"_extra":{"age_ms":5,"x":2}}' where event_id = 'dev-1-01'`)
  assert.deepEqual(await statuses(event(0, 7)), ['duplicate'])
  assert.deepEqual(await statuses(event(0, 7, ',"x":3')), ['rejected'], 'an unknown field is content')
  assert.deepEqual(await statuses(event(1, 7, ',"x":2,"meta":{"a":1}')), ['duplicate'])
  assert.deepEqual(await statuses(event(1, 7, ',"x":3,"meta":{"a":1}')), ['rejected'])
  assert.deepEqual(await statuses(event(0, 7, ',"meta":{"a":1}')), ['rejected'])
}

test('sixty buffered events of a board without a clock keep their spacing, through Mosquitto', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  await prove(broker.url, t, query as Query)
})

test('sixty buffered events of a board without a clock keep their spacing, through the embedded broker', async (t) => {
  const { mqttPort, query } = await startTestConsole(t)
  await prove(`mqtt://127.0.0.1:${mqttPort}`, t, query)
})
