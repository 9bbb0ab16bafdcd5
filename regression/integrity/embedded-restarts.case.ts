import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { Client } from 'pg'
import { openEmbeddedStage } from './embedded-stage.ts'
import { scale } from './scale.ts'

const TIMES = scale(10, 2)
const LIMIT_MS = 30_000
const TRUSTING = { deviceId: 'trusting', messagesPerSecond: 300 }

test('qs up is stopped and killed under load: everything with a PUBACK is a row', async (t) => {
  const stage = await openEmbeddedStage(t, {
    fault: `embedded: qs up stopped ${TIMES} times and killed ${TIMES} times`,
    fleet: { eventsPerSecond: 100, resendAfterMs: 30_000 },
  })
  const publisher = stage.addPublisher(TRUSTING)
  for (let n = 0; n < TIMES; n++) {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const goal = publisher.answered + 300
      await until(() => publisher.answered > goal, 'the publisher gets PUBACKs', LIMIT_MS)
      await stage.more(100)
      await stage.ingester.kill(signal)
      stage.ingester.start()
      await stage.ingester.ready()
      await stage.flowing(LIMIT_MS, `qs up is back after ${signal}`)
    }
  }
  await stage.finish()
})

test('qs up is stopped while its database is locked: no message without a row has a PUBACK', async (t) => {
  const stage = await openEmbeddedStage(t, {
    fault: 'embedded: qs up stopped while its database is locked',
    fleet: { eventsPerSecond: 50, resendAfterMs: 30_000 },
  })
  const publisher = stage.addPublisher({ ...TRUSTING, messagesPerSecond: 100 })
  await stage.more(100)
  const locker = new Client({ connectionString: stage.databaseUrl })
  // The stop ends this session.
  locker.on('error', () => {})
  await locker.connect()
  await locker.query('begin; lock table events in access exclusive mode')
  await until(() => publisher.waiting > 300, 'messages without a PUBACK', LIMIT_MS)
  await stage.ingester.kill('SIGTERM')
  assert.equal(await stage.ingester.exit(), 0)
  stage.ingester.start()
  await stage.ingester.ready()
  await stage.flowing(LIMIT_MS, 'qs up is back')
  await stage.finish()
})
