import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { freshDatabase } from '@qs-telemetry/testing/postgres.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import mqtt from 'mqtt'
import { Client } from 'pg'

test('every fresh database is separate and empty', async (t) => {
  const urls = [await freshDatabase(t), await freshDatabase(t)]
  assert.equal(new Set(urls).size, 2)
  for (const connectionString of urls) {
    const client = new Client({ connectionString })
    await client.connect()
    t.after(() => client.end())
    await client.query('create table mine (n int)')
  }
})

test('until() returns what it waited for, or names what did not happen', async () => {
  let calls = 0
  assert.equal(await until(() => ++calls === 3 && calls, 'three calls'), 3)
  await assert.rejects(
    until(() => null, 'a miracle', 20),
    /a miracle/,
  )
})

test('Mosquitto keeps sessions across a clean restart; extra lines override', {
  skip: mosquittoMissing,
}, async (t) => {
  const mosquitto = await startMosquitto(t, { config: ['max_queued_messages 3'] })
  const session = { clientId: 'durable', clean: false, reconnectPeriod: 0, protocolVersion: 4 } as const
  const before = await mqtt.connectAsync(mosquitto.url, session)
  await before.subscribeAsync('t', { qos: 1 })
  await before.endAsync()
  const publisher = await mqtt.connectAsync(mosquitto.wsUrl, { reconnectPeriod: 0 })
  publisher.on('error', () => {})
  for (const n of [1, 2, 3, 4, 5]) await publisher.publishAsync('t', String(n), { qos: 1 })
  await mosquitto.restart()

  const after = mqtt.connect(mosquitto.url, session)
  t.after(() => after.end(true))
  const payloads: string[] = []
  after.on('message', (_topic, payload) => payloads.push(payload.toString()))
  await until(() => payloads.length >= 3, 'the queue arrives')
  assert.deepEqual(payloads, ['1', '2', '3'])
})
