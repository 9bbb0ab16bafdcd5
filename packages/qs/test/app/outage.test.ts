import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connect, connectAsync } from 'mqtt'
import pg from 'pg'

const EVENTS = 'qs/v1/d/events'
const event = (n: number) =>
  JSON.stringify({ schema: 1, event_id: `e${n}`, device_id: 'd', event_type: 't', value: n })

test('a database that terminates all sessions and returns loses nothing, and no ack was false', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { databaseUrl, query } = await startPipeline(t, broker.url)
  const { client, received } = await listen(t, broker.url)
  const acked = () => received.get('qs/v1/d/acks')?.length ?? 0

  const { pathname } = new URL(databaseUrl)
  const adminUrl = new URL(databaseUrl)
  adminUrl.pathname = '/postgres'
  const admin = new pg.Client({ connectionString: adminUrl.href })
  await admin.connect()
  t.after(() => admin.end())
  const name = pathname.slice(1)
  const throwOut = async () => {
    await admin.query(`alter database ${name} with allow_connections false`)
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
  }
  const letIn = () => admin.query(`alter database ${name} with allow_connections true`)

  let sent = 0
  const send = (count: number) =>
    Promise.all(Array.from({ length: count }, () => client.publishAsync(EVENTS, event(sent++), { qos: 1 })))
  await send(500)
  await until(() => acked() > 0, 'the first device ack')
  await throwOut()
  const ackedWhenAway = acked()
  await send(500)
  assert.ok(acked() <= ackedWhenAway + 500, 'only acks for events committed before')
  await letIn()
  await until(() => acked() === sent, 'all are acked')
  assert.deepEqual(await query('select count(*)::int as n from events'), [{ n: sent }])
  assert.deepEqual(await query('select from dead_letters'), [])
  const [stats] = await query(
    'select sum(received)::int - sum(stored + duplicate + rejected)::int as rest from ingest_stats',
  )
  assert.deepEqual(stats, { rest: 0 })
})

test('while nothing commits, reading pauses at the high watermark, and resumes afterwards', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { databaseUrl, pipeline, query } = await startPipeline(t, broker.url, {
    settings: { IN_FLIGHT_MESSAGES: '50' },
  })
  const { client, received } = await listen(t, broker.url)
  const blocker = new pg.Client({ connectionString: databaseUrl })
  await blocker.connect()
  t.after(() => blocker.end())
  await blocker.query('begin; lock table events in exclusive mode')

  await Promise.all(Array.from({ length: 2000 }, (_, n) => client.publishAsync(EVENTS, event(n), { qos: 1 })))
  await until(() => pipeline.source.status.isPaused, 'reading is paused')
  assert.ok(pipeline.source.status.unsettledMessages < 1000, String(pipeline.source.status.unsettledMessages))
  assert.equal(received.has('qs/v1/d/acks'), false)

  await blocker.query('commit')
  await until(() => received.get('qs/v1/d/acks')?.length === 2000, 'all are acked')
  assert.deepEqual(await query('select count(*)::int as n from events'), [{ n: 2000 }])
  await until(() => !pipeline.source.status.isPaused, 'reading resumes')
})

test('with ACK_QOS 1 a sleeping device gets its ack when it wakes', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  await startPipeline(t, broker.url, { settings: { ACK_QOS: '1' } })
  const session = { clientId: 'sleeper', clean: false, protocolVersion: 4 } as const
  const awake = await connectAsync(broker.url, session)
  await awake.subscribeAsync('qs/v1/d/acks', { qos: 1 })
  await awake.endAsync()

  const { client, next } = await listen(t, broker.url)
  await client.publishAsync(EVENTS, event(1), { qos: 1 })
  await next('qs/v1/d/acks')

  const again = connect(broker.url, session)
  const payload = await new Promise<Buffer>((resolve) =>
    again.on('message', (_topic, message) => resolve(message)),
  )
  await again.endAsync()
  assert.equal((JSON.parse(payload.toString()) as { status: string }).status, 'stored')
})

test('QoS 0 messages sent while no ingester ran are delivered, with the recommended broker settings', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t, { config: ['upgrade_outgoing_qos true'] })
  const first = await startPipeline(t, broker.url)
  await first.pipeline.stop(5_000)
  const { client } = await listen(t, broker.url)
  for (let n = 0; n < 100; n++) await client.publishAsync(EVENTS, event(n), { qos: 0 })
  await client.publishAsync(EVENTS, event(100), { qos: 1 })
  const second = await startPipeline(t, broker.url, { databaseUrl: first.databaseUrl })
  const count = async () => (await second.query('select count(*)::int as n from events'))[0]?.n
  await until(async () => (await count()) === 101, 'all are stored')
})
