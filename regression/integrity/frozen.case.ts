import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { lasting } from './lasting.ts'
import { scale } from './scale.ts'
import { openStage } from './stage.ts'

const KEEP_ALIVE_SECONDS = 2
const TIMES = scale(6, 1)
const LIMIT_MS = 5_000

test('an ingester frozen (SIGSTOP) for two keep-alives, so that the broker drops it, continues where it was', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: `ingester frozen for two keep-alives ${TIMES === 1 ? 'once' : `${TIMES} times`}`,
    fleet: { eventsPerSecond: 500 },
    settings: { MQTT_KEEP_ALIVE: `${KEEP_ALIVE_SECONDS}s` },
  })
  for (let n = 0; n < TIMES; n++) {
    await stage.more(500)
    await stage.ingester.kill('SIGSTOP')
    await lasting(2 * KEEP_ALIVE_SECONDS * 1_000)
    await stage.ingester.kill('SIGCONT')
    await stage.flowing(LIMIT_MS, 'it was frozen')
    assert.ok(stage.ingester.isRunning, 'it ended')
  }
  await stage.more(500)
  await stage.finish()
})
