import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DeviceClient } from '@qs-telemetry/device'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { Client } from 'pg'
import { buildClient } from '../clients/build-client.ts'
import { IngesterProcess } from '../integrity/ingester.ts'
import { BROKER_KINDS, type BrokerKind } from './broker-kinds.ts'
import { type RunningBroker, startBroker } from './broker-process.ts'

const HERE = new URL('.', import.meta.url)
const EVENTS = 200
const LIMIT_MS = 120_000

for (const kind of BROKER_KINDS)
  test(`${kind.name} ${kind.version}: no acked event is lost when it is killed`, {
    timeout: 900_000,
  }, async (t) => {
    const program = await buildClient(kind, HERE)
    if (program.kind === 'missing') return t.skip(`it cannot be had here: ${program.why}`)
    await run(t, kind, await startBroker(t, kind, program.directory))
  })

async function run(t: TestContext, kind: BrokerKind, broker: RunningBroker): Promise<void> {
  const databaseUrl = await migratedDatabase(t)
  const database = new Client({ connectionString: databaseUrl })
  await database.connect()
  t.after(() => database.end())
  const storedBy = async (device: string) => {
    const sql = 'select count(*)::int as count from events where device_id = $1'
    return (await database.query<{ count: number }>(sql, [device])).rows[0]?.count ?? 0
  }
  const ingester = await IngesterProcess.create(t, { mqttUrl: broker.urls, databaseUrl })
  t.after(() => ingester.end())
  ingester.start()
  await ingester.ready()

  const warnings: string[] = []
  const device = new DeviceClient({
    ...{ url: broker.urls, deviceId: 'careful', batchEvents: 1, reconnectMs: 200 },
    onWarning: (warning) => 'error' in warning && warnings.push(warning.error.message),
  })
  t.after(() => device.close({ timeoutMs: 0 }))
  device.open()
  const send = () => {
    for (let n = 0; n < EVENTS; n++) void device.send({ event_type: 'temp', value: n })
  }
  send()
  await until(() => device.counts().waiting === 0, 'device acks', LIMIT_MS)
  // Without MQTT 5, some end the first login.
  const others = warnings.filter((warning) => !/during the login/.test(warning))
  assert.deepEqual(others, [], 'a queue went through the window of the broker')

  // Without an ingester, one device trusts PUBACKs and the other one keeps its events. Then the broker is killed.
  await ingester.kill('SIGTERM')
  await publishTrusting(broker.urls.split(',').at(-1) as string)
  send()
  await broker.kill(0)
  if (kind.nodes === 1) await broker.start(0)
  ingester.start()
  await ingester.ready()
  await until(() => device.counts().waiting === 0, 'device acks after the kill', LIMIT_MS)
  if (kind.keepsQueue)
    await until(async () => (await storedBy('trusting')) === EVENTS, 'the queue of the session', LIMIT_MS)
  t.diagnostic(`${await storedBy('trusting')} of ${EVENTS} events with only a PUBACK came through`)
  assert.equal(await storedBy('careful'), 2 * EVENTS)
}

/** One message at a time, each forgotten at its PUBACK. */
async function publishTrusting(url: string): Promise<void> {
  const client = await connectAsync(url, { protocolVersion: 4 })
  for (let n = 0; n < EVENTS; n++) {
    const event = {
      schema: 1,
      event_id: `trusting-${n}`,
      device_id: 'trusting',
      event_type: 'temp',
      value: n,
    }
    await client.publishAsync('qs/v1/trusting/events', JSON.stringify(event), { qos: 1 })
  }
  await client.endAsync()
}
