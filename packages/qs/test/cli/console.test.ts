import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  DeviceLoginAnswer,
  LetterList,
  Overview,
  Problem,
  ReplayAnswer,
  System,
  UnhandledTopics,
} from '@qs-telemetry/protocol/api'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { json } from '@qs-telemetry/testing/console.ts'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { watch } from '@qs-telemetry/testing/watch-live.ts'
import { connectAsync } from 'mqtt'
import pg from 'pg'

const operator = { MQTT_USERNAME: OPERATOR.username, MQTT_PASSWORD: OPERATOR.password }
const event = (id: string, fields: object = { value: 1 }) => ({
  schema: 1,
  event_id: id,
  device_id: 'd',
  event_type: 'temp',
  ...fields,
})

async function ask<T>(url: string, init: RequestInit = {}): Promise<{ status: number; body: T }> {
  const response = await fetch(url, init)
  return { status: response.status, body: (await response.json()) as T }
}

test('qs console next to an ingester: live events, a replay through the broker, an account', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const broker = await startManagedMosquitto(t, { config: ['sys_interval 1'] })
  const password = 'password of the ingester'
  const provisioned = await runCommand(['provision'], {
    ...operator,
    MQTT_URL: broker.url,
    INGESTER_PASSWORD: password,
  })
  assert.equal(provisioned.code, 0, provisioned.stderr)
  const settings = { MQTT_USERNAME: 'ingester', MQTT_PASSWORD: password }
  const { query, databaseUrl } = await startPipeline(t, broker.url, { settings })
  const port = await freePort()
  const env = { MQTT_URL: broker.url, DATABASE_URL: databaseUrl, HTTP_PORT: String(port), ...operator }
  const qs = startQs(t, ['console'], { env })
  await untilReady(qs, port)
  const url = `http://127.0.0.1:${port}`
  const connected = async () => (await ask<System>(`${url}/api/system`)).body.liveProblem === null
  await until(connected, 'the broker is connected')

  const sender = await connectAsync(broker.url, OPERATOR)
  t.after(() => sender.endAsync(true))
  const { messages } = await watch(t, `${url}/api/live`)
  const publish = (payload: unknown) =>
    sender.publishAsync('qs/v1/d/events', JSON.stringify(payload), { qos: 1 })
  const heard = (id: string) =>
    messages().find(({ elements }) => elements.some(({ eventId }) => eventId === id))
  // The console subscribes when the first page opens; earlier messages are not received.
  const isListening = async () => {
    await publish(event('probe'))
    return heard('probe')
  }
  await until(isListening, 'the console listens')
  await publish([event('a'), event('b', { value: {} })])
  const told = await until(() => heard('a'), 'the message is live')
  assert.deepEqual(
    told.elements.map(({ eventId, outcome, code }) => [eventId, outcome, code]),
    [
      ['a', 'stored', null],
      ['b', 'rejected', 'INVALID_VALUE'],
    ],
  )

  await sender.publishAsync('qs/v1/kitchen/event', '{}', { qos: 1 })
  await until(async () => {
    const { body } = await ask<UnhandledTopics>(`${url}/api/unhandled-topics`)
    return body.topics.some(({ likelyTopic }) => likelyTopic === 'qs/v1/kitchen/events')
  }, 'a misspelt topic is listed with its fix')

  const [letter] = (await ask<LetterList>(`${url}/api/letters`)).body.letters
  await ask(`${url}/api/letters/${letter?.id}/repair`, json('PUT', { payload: JSON.stringify(event('b')) }))
  const replay = await ask<ReplayAnswer>(`${url}/api/letters/replay`, json('POST', { all: true }))
  assert.deepEqual(
    replay.body.results.map(({ result }) => result),
    ['stored'],
  )
  assert.equal((await query(`select from events where event_id = 'b'`)).length, 1)

  const overview = (await ask<Overview>(`${url}/api/overview`)).body
  assert.deepEqual([overview.inFlight, overview.broker.connected, overview.rateSeconds], [null, true, 60])
  assert.ok(overview.eventsPerSecond > 0)
  const counts = async () => (await ask<Overview>(`${url}/api/overview`)).body.broker.waiting !== null
  await until(counts, 'the broker reports its queue')

  const { body: login } = await ask<DeviceLoginAnswer>(
    `${url}/api/devices`,
    json('POST', { deviceId: 'cellar' }),
  )
  assert.ok(login.password)
  const board = await connectAsync(broker.url, {
    clientId: 'cellar',
    username: 'cellar',
    password: login.password,
  })
  await board.endAsync()
  qs.process.kill('SIGTERM')
  assert.equal(await qs.exit(), 0)
})

test('qs console without a broker: charts work, and it reports what does not', async (t) => {
  const databaseUrl = await migratedDatabase(t)
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  await database.query(
    `insert into dead_letters (received_at, topic, device_id, code, error, trace, payload, fingerprint)
     values (now(), 'qs/v1/d/events', 'd', 'CODE', 'of old', '', $1, gen_random_uuid())`,
    [Buffer.from(JSON.stringify(event('kept')))],
  )
  await database.end()
  const port = await freePort()
  const gone = await freePort()
  const env = { MQTT_URL: `mqtt://127.0.0.1:${gone}`, DATABASE_URL: databaseUrl, HTTP_PORT: String(port) }
  await untilReady(startQs(t, ['console'], { env }), port)
  const url = `http://127.0.0.1:${port}`
  const overview = await ask<Overview>(`${url}/api/overview`)
  assert.deepEqual([overview.status, overview.body.broker.connected], [200, false])
  const live = await ask<Problem>(`${url}/api/live`)
  assert.equal(live.status, 503)
  assert.match(live.body.detail, /^No connection to the broker at mqtt:\/\/127\.0\.0\.1/)
  const replay = await ask<Problem>(`${url}/api/letters/replay`, json('POST', { all: true }))
  assert.equal(replay.status, 503)
  assert.match(replay.body.detail, /^No connection to the broker at mqtt:/)
})
