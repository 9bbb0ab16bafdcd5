import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DEFAULT_TOPICS } from '@qs-telemetry/protocol'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import pg from 'pg'
import { startEmbeddedBroker } from '../../src/embedded/broker/embedded-broker.ts'
import { AckWitness } from '../../src/verify/ack-witness.ts'
import { verifyPubacks } from '../../src/verify/prove.ts'
import { TrustingDevice } from '../../src/verify/trusting-device.ts'

const EVENTS = 250

async function run(t: TestContext, port: number, databaseUrl: string) {
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  t.after(() => database.end())
  const witness = new AckWitness(database)
  const device = new TrustingDevice({
    broker: { url: `mqtt://127.0.0.1:${port}` },
    ...{ deviceId: 'board', run: 'board', eventsTopic: DEFAULT_TOPICS.events },
    onAnswer: (answer) => witness.heard(answer),
  })
  t.after(() => device.close())
  device.open()
  for (let n = 0; n < EVENTS; n++) device.send()
  await device.finish()
  return verifyPubacks(database, device.sent, witness)
}

test('the PUBACKs of qs up say what is true', async (t) => {
  const { mqttPort, databaseUrl } = await startTestConsole(t)
  const { ok, sent, acked, stored, early } = await run(t, mqttPort, databaseUrl)
  assert.deepEqual([ok, sent, acked, stored, early], [true, EVENTS, EVENTS, EVENTS, []])
})

test('a broker that answers before anything is stored is found out', async (t) => {
  const options = { host: '127.0.0.1', port: 0, wsPort: 0, credentials: null, accountsFile: null }
  const { log } = silentLog()
  const { port, stop } = await startEmbeddedBroker({ ...options, maxPacketBytes: 1 << 24, log })
  t.after(stop)
  const { ok, acked, stored, missing, early } = await run(t, port, await migratedDatabase(t))
  assert.deepEqual([ok, acked, stored, missing.length, early.length], [false, EVENTS, 0, EVENTS, EVENTS])
})
