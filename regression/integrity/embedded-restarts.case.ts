import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { Client } from 'pg'
import { openEmbeddedStage } from './embedded-stage.ts'
import { scale } from './scale.ts'
import { TrustingPublisher } from './trusting-publisher.ts'

const TIMES = scale(10, 2)
const LIMIT_MS = 30_000
const DEVICE = 'trusting'

test('qs up is stopped and killed under load: everything with a PUBACK is a row', async (t) => {
  const stage = await openEmbeddedStage(t, {
    fault: `embedded: qs up stopped ${TIMES} times and killed ${TIMES} times`,
    fleet: { eventsPerSecond: 100, resendAfterMs: 30_000 },
  })
  const publisher = new TrustingPublisher({
    port: stage.port,
    deviceId: DEVICE,
    messagesPerSecond: 300,
    onSent: (item) => stage.sentBeside(item),
  })
  t.after(() => publisher.close())
  const withoutRow = async () => {
    const { pubacked } = publisher
    const rows = await rowsOf(stage.databaseUrl)
    return [...pubacked].filter((id) => !rows.has(id))
  }
  const lost = { SIGTERM: 0, SIGKILL: 0 }
  for (let n = 0; n < TIMES; n++) {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const before = publisher.pubacked.size
      await until(() => publisher.pubacked.size > before + 300, 'the publisher gets PUBACKs', LIMIT_MS)
      await stage.more(100)
      await stage.ingester.kill(signal)
      const pubacked = new Set(publisher.pubacked)
      stage.ingester.start()
      await stage.ingester.ready()
      const missing = (await withoutRow()).filter((id) => pubacked.has(id))
      lost[signal] += missing.length
      publisher.sendAgain(missing)
      await stage.flowing(LIMIT_MS, `qs up is back after ${signal}`)
    }
  }
  t.diagnostic(
    `messages with a PUBACK and without a row: ${lost.SIGTERM} after ${TIMES} times SIGTERM, ${lost.SIGKILL} after ${TIMES} times SIGKILL`,
  )
  publisher.pause()
  await until(() => publisher.pubacked.size === publisher.sent, 'everything has its PUBACK', LIMIT_MS)
  await until(async () => (await withoutRow()).length === 0, 'everything with a PUBACK is a row', LIMIT_MS)
  await stage.finish()
  assert.deepEqual(lost, { SIGTERM: 0, SIGKILL: 0 })
})

test('qs up is stopped while its database is locked: no message without a row has a PUBACK', async (t) => {
  const stage = await openEmbeddedStage(t, {
    fault: 'embedded: qs up stopped while its database is locked',
    fleet: { eventsPerSecond: 50, resendAfterMs: 30_000 },
  })
  const publisher = new TrustingPublisher({
    port: stage.port,
    deviceId: DEVICE,
    messagesPerSecond: 100,
    onSent: (item) => stage.sentBeside(item),
  })
  t.after(() => publisher.close())
  await stage.more(100)
  const locker = new Client({ connectionString: stage.databaseUrl })
  // The stop ends this session.
  locker.on('error', () => {})
  await locker.connect()
  await locker.query('begin; lock table events in access exclusive mode')
  await until(() => publisher.sent > publisher.pubacked.size + 300, 'messages without a PUBACK', LIMIT_MS)
  await stage.ingester.kill('SIGTERM')
  assert.equal(await stage.ingester.exit(), 0)
  const pubacked = new Set(publisher.pubacked)
  stage.ingester.start()
  await stage.ingester.ready()
  const rows = await rowsOf(stage.databaseUrl)
  assert.deepEqual(
    [...pubacked].filter((id) => !rows.has(id)),
    [],
  )
  publisher.pause()
  await until(() => publisher.pubacked.size === publisher.sent, 'everything has its PUBACK', LIMIT_MS)
  await stage.flowing(LIMIT_MS, 'qs up is back')
  await stage.finish()
})

async function rowsOf(databaseUrl: string): Promise<ReadonlySet<string>> {
  const database = new Client({ connectionString: databaseUrl })
  await database.connect()
  const { rows } = await database.query('select event_id from events where device_id = $1', [DEVICE])
  await database.end()
  return new Set(rows.map(({ event_id: id }) => id))
}
