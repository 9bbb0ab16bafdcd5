import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'

const event = (id: string, members: string) =>
  `{"schema":1,"event_id":"dev-1-${id}","device_id":"dev-1","event_type":"temp",${members}}`
const SENT = [
  event('plain', '"value":1.123456'),
  event('twice', '"value":1,"value":2.123456,"meta":{"at":"12:00:00.123456"}'),
  event('rounded', '"value":0.12345678901234567890'),
  event('in-1970', '"value":4,"ts_device":"1970-01-01T00:00:09.123456Z"'),
]

type Query = (sql: string) => Promise<readonly Record<string, unknown>[]>

/** Each event alone and then all in an array, so that they are duplicates the second time. */
async function prove(url: string, t: Parameters<typeof listen>[0], query: Query): Promise<void> {
  const { client, next } = await listen(t, url)
  const acks: unknown[] = []
  for (const payload of [...SENT, `[${SENT.join(',')}]`]) {
    await client.publishAsync('qs/v1/dev-1/events', payload, { qos: 1 })
    acks.push(await next('qs/v1/dev-1/acks'))
  }
  const codes = [null, 'KEY_REPEATED', 'VALUE_ROUNDED', 'TS_DEVICE_IMPLAUSIBLE']
  assert.deepEqual(
    (acks.flat() as { status: string; warning?: { code: string } }[]).map(({ status, warning }) => [
      status,
      warning?.code ?? null,
    ]),
    ['stored', 'duplicate'].flatMap((status) => codes.map((code) => [status, code])),
  )
  assert.deepEqual(await query('select value_num from events order by ts_server'), [
    { value_num: 1.123456 },
    { value_num: 2.123456 },
    { value_num: 0.12345678901234568 },
    { value_num: 4 },
  ])
}

test('the device ack warns of events stored differently from how they were sent, through Mosquitto', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  await prove(broker.url, t, query as Query)
})

test('the device ack warns of events stored differently from how they were sent, through the embedded broker', async (t) => {
  const { mqttPort, query } = await startTestConsole(t)
  await prove(`mqtt://127.0.0.1:${mqttPort}`, t, query)
})
