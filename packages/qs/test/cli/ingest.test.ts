import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UnhandledTopics } from '@qs-telemetry/protocol/api'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen } from '@qs-telemetry/testing/pipeline.ts'
import { freshDatabase, migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { runQs, startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { until } from '@qs-telemetry/testing/until.ts'

const event = (id: string) =>
  JSON.stringify({ schema: 1, event_id: id, device_id: 'd', event_type: 't', value: 1 })

test('qs ingest migrates the schema, reports its health, and drains at SIGTERM', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const databaseUrl = await freshDatabase(t)
  const httpPort = await freePort()
  const env = {
    MQTT_URL: broker.url,
    DATABASE_URL: databaseUrl,
    HTTP_PORT: String(httpPort),
    TZ: 'Asia/Kolkata',
  }
  const qs = startQs(t, ['ingest'], { env })
  await untilReady(qs, httpPort)
  const { client, next } = await listen(t, broker.url)
  await client.publishAsync('qs/v1/d/events', event('a'), { qos: 2 })
  assert.equal(((await next('qs/v1/d/acks')) as { status: string }).status, 'stored')

  const http = async (path: string) => (await fetch(`http://127.0.0.1:${httpPort}${path}`)).text()
  assert.deepEqual(JSON.parse(await http('/healthz')), { status: 'ok' })
  assert.match(await http('/'), /\/readyz/)
  assert.match(await http('/nothing'), /Nothing at \/nothing/)
  const metrics = await http('/metrics')
  assert.match(metrics, /^qs_events_total\{outcome="stored"\} 1$/m)
  assert.match(metrics, /^qs_events_in_flight 0$/m)

  const misspelt = async () => {
    await client.publishAsync('qs/v1/kitchen/event', '{}', { qos: 1 })
    const { topics } = JSON.parse(await http('/api/unhandled-topics')) as UnhandledTopics
    return topics.find(({ topic }) => topic === 'qs/v1/kitchen/event')
  }
  assert.equal((await until(misspelt, 'a misspelt topic is listed')).likelyTopic, 'qs/v1/kitchen/events')

  await broker.kill()
  await until(
    async () => (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).status === 503,
    'not ready without a broker',
  )
  await broker.restart()
  await untilReady(qs, httpPort)

  qs.process.kill('SIGTERM')
  assert.equal(await qs.exit(), 0)
  assert.match(qs.stderr(), /Stopped/)
})

test('events in flight when the ingester is killed are stored by the next one, once', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const databaseUrl = await migratedDatabase(t)
  const start = async () => {
    const httpPort = await freePort()
    const qs = startQs(t, ['ingest'], {
      env: { MQTT_URL: broker.url, DATABASE_URL: databaseUrl, HTTP_PORT: String(httpPort) },
    })
    await untilReady(qs, httpPort)
    return qs
  }
  const first = await start()
  const { client, received } = await listen(t, broker.url)
  const ids = Array.from({ length: 3000 }, (_, n) => `e${n}`)
  const published = Promise.all(ids.map((id) => client.publishAsync('qs/v1/d/events', event(id), { qos: 1 })))
  await until(() => received.has('qs/v1/d/acks'), 'the first device ack')
  first.process.kill('SIGKILL')
  await first.exit()
  await published
  await start()

  const count = async () => {
    const { default: pg } = await import('pg')
    const database = new pg.Client({ connectionString: databaseUrl })
    await database.connect()
    const { rows } = await database.query(
      'select count(*)::int as n, (select count(*)::int from dead_letters) as dead from events',
    )
    await database.end()
    return rows[0] as { n: number; dead: number }
  }
  await until(async () => (await count()).n === ids.length, 'all events are stored')
  assert.equal((await count()).dead, 0)
})

test('a second ingester with the same client id reports that and exits; the first keeps working', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const databaseUrl = await migratedDatabase(t)
  const ports = [await freePort(), await freePort()] as const
  const start = (port: number) =>
    startQs(t, ['ingest'], {
      env: { MQTT_URL: broker.url, DATABASE_URL: databaseUrl, HTTP_PORT: String(port) },
    })
  const first = start(ports[0])
  await untilReady(first, ports[0])
  const second = start(ports[1])
  assert.equal(await second.exit(), 1)
  assert.match(second.stderr(), /client id qs-ingester is running.*MQTT_CLIENT_ID/)
  await untilReady(first, ports[0])
  assert.doesNotMatch(first.stderr(), /No connection/)
})

test('a refused database and wrong settings stop the start with a reason', async (t) => {
  const url = new URL(await migratedDatabase(t))
  url.pathname = '/nowhere'
  const wrongDatabase = await runQs(t, ['ingest'], {
    env: { DATABASE_URL: url.href, MQTT_URL: 'mqtt://127.0.0.1:1' },
  })
  assert.equal(wrongDatabase.code, 1)
  assert.match(wrongDatabase.stderr, /database "nowhere" does not exist/)

  const wrongSettings = await runQs(t, ['ingest'], {
    env: { ACK_QOS: '2', DEVICE_TIMEZONE: 'Mars', MQTT_EVENTS_TOPIC: 'a/#' },
  })
  assert.equal(wrongSettings.code, 2)
  assert.match(wrongSettings.stderr, /3 settings are wrong/)
  for (const name of ['ACK_QOS', 'DEVICE_TIMEZONE', 'MQTT_EVENTS_TOPIC'])
    assert.match(wrongSettings.stderr, new RegExp(name))
})
