import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'

const event = (n: number, value = `${n}.125`) =>
  `{"schema":1,"event_id":"dev-1-${n}","device_id":"dev-1","event_type":"temp","value":${value}}`
const PAYLOAD = `\ufeff[${Array.from({ length: 10 }, (_, n) => event(n, n === 4 ? 'NaN' : undefined)).join(',')},]\0`

type Query = (sql: string) => Promise<readonly Record<string, unknown>[]>

/** Publishes ten events, one of them NaN, twice, like a device that missed its ack. */
async function prove(url: string, t: Parameters<typeof listen>[0], query: Query): Promise<void> {
  const { client, next } = await listen(t, url)
  for (const status of ['stored', 'duplicate']) {
    await client.publishAsync('qs/v1/dev-1/events', PAYLOAD, { qos: 1 })
    const acks = (await next('qs/v1/dev-1/acks')) as {
      event_id: string
      status: string
      error?: { code: string }
    }[]
    assert.deepEqual(
      acks.map((ack) => [ack.event_id, ack.status, ack.error?.code]),
      Array.from({ length: 10 }, (_, n) =>
        n === 4 ? ['dev-1-4', 'rejected', 'INVALID_JSON'] : [`dev-1-${n}`, status, undefined],
      ),
    )
  }
  assert.deepEqual(await query('select count(*)::int as n, sum(value_num) as sum from events'), [
    { n: 9, sum: 45 - 4 + 9 * 0.125 },
  ])
  const letters = await query("select event_id, convert_from(payload, 'UTF8') as payload from dead_letters")
  assert.deepEqual(letters[0], { event_id: 'dev-1-4', payload: event(4, 'NaN') })
}

test('one NaN in ten costs one event, through Mosquitto', { skip: mosquittoMissing }, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  await prove(broker.url, t, query as Query)
})

test('one NaN in ten costs one event, through the embedded broker', async (t) => {
  const { mqttPort, query } = await startTestConsole(t)
  await prove(`mqtt://127.0.0.1:${mqttPort}`, t, query)
})
