import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen } from '@qs-telemetry/testing/pipeline.ts'
import { runQs, startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { psqlMissing, runRoles, session, startLockedCluster, urlOf } from '@qs-telemetry/testing/roles.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { migrate } from '../../src/database/migrate.ts'

test('the whole pipeline works as qs_ingester, and so does qs verify', {
  skip: mosquittoMissing || psqlMissing,
}, async (t) => {
  const cluster = await startLockedCluster(t)
  await runRoles(cluster)
  await migrate(urlOf(cluster, 'qs'))
  const owner = await session(t, urlOf(cluster, 'qs'))
  await owner.query(`insert into devices (device_id, first_seen, last_seen, time_zone)
    values ('d', now(), '2000-01-01Z', 'Asia/Tokyo')`)

  const broker = await startMosquitto(t)
  const httpPort = await freePort()
  const env = {
    MQTT_URL: broker.url,
    DATABASE_URL: urlOf(cluster, 'qs_ingester'),
    HTTP_PORT: String(httpPort),
  }
  const ingest = startQs(t, ['ingest'], { env })
  await untilReady(ingest, httpPort)

  const { client, next } = await listen(t, broker.url)
  const event = {
    schema: 1,
    event_id: 'e1',
    device_id: 'd',
    event_type: 't',
    ts_device: '2026-11-23T18:00:00',
  }
  const statuses = []
  for (const value of [1, 1, 2]) {
    await client.publishAsync('qs/v1/d/events', JSON.stringify({ ...event, value }), { qos: 1 })
    statuses.push(((await next('qs/v1/d/acks')) as { status: string }).status)
  }
  assert.deepEqual(statuses, ['stored', 'duplicate', 'rejected'])

  const { code, stdout, stderr } = await runQs(t, ['verify', '--events', '50'], { env })
  assert.equal(code, 0, stdout + stderr)
  assert.match(stdout, /Every acked event is a committed event/)
  assert.match(stderr, /may not delete events/)

  const seen = async () => {
    const { rows } = await owner.query(
      `select from devices where device_id = 'd' and last_seen > '2026-01-01'`,
    )
    return rows.length === 1
  }
  ingest.process.kill('SIGTERM')
  assert.equal(await ingest.exit(), 0)
  await until(seen, 'the device that was already known has been seen')
  const { rows } = await owner.query(`
    select (select ts_device = '2026-11-23T18:00+09' from events where event_id = 'e1') as zone,
      (select silent_after_set from devices where device_id = 'qs-verify') as missed_after,
      (select count(*)::int from dead_letters) as letters, (select sum(received)::int from ingest_stats) as received`)
  assert.deepEqual(rows, [{ zone: true, missed_after: Number.POSITIVE_INFINITY, letters: 1, received: 53 }])
})
