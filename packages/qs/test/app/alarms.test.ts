import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { configOf, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { startAlarms } from '../../src/app/start-alarms.ts'
import { BrokerCounts } from '../../src/source/broker-counts.ts'

test('messages dropped by Mosquitto raise an alarm', { skip: mosquittoMissing }, async (t) => {
  const broker = await startMosquitto(t, {
    config: ['max_queued_messages 5', 'max_inflight_messages 5', 'sys_interval 1'],
  })
  const { pipeline } = await startPipeline(t, broker.url)
  const { log, records } = silentLog()
  const alarms = startAlarms(pipeline, { config: configOf(), mqttUrl: broker.url, log })
  t.after(() => alarms.stop())
  const known = async () => {
    alarms.look()
    const [value] = (await pipeline.metrics.brokerDropped.get()).values
    return value !== undefined && !Number.isNaN(value.value)
  }
  await until(known, 'the counter of the broker is read')

  const sleeper = await connectAsync(broker.url, { clientId: 'sleeper', clean: false })
  await sleeper.subscribeAsync('other', { qos: 1 })
  await sleeper.endAsync()
  const sender = await connectAsync(broker.url)
  t.after(() => sender.endAsync(true))
  for (let n = 0; n < 50; n++) await sender.publishAsync('other', 'x', { qos: 1 })
  await until(() => alarms.look().has('broker_drops'), 'the alarm')
  assert.match(String(records.find(({ alarm }) => alarm === 'broker_drops')?.msg), /dropped \d+ messages/)
  assert.deepEqual([...alarms.look().keys()], ['broker_drops'])
})

test('a broker that does not allow the ingester to read $SYS is logged once', {
  skip: mosquittoMissing,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-acl-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'acl'), 'topic readwrite qs/v1/#\n')
  const broker = await startMosquitto(t, { config: [`acl_file ${join(directory, 'acl')}`, 'sys_interval 1'] })
  const { log, records } = silentLog()
  const drops = new BrokerCounts({
    url: broker.url,
    caFile: null,
    clientId: 'test-sys',
    username: null,
    password: () => null,
    patienceMs: 1_500,
    log,
  })
  drops.start()
  t.after(() => drops.stop())
  await until(
    () => records.some(({ msg }) => msg.includes('does not allow this user to read')),
    'it is logged',
  )
  assert.equal(drops.dropped, null)
})
