import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { openLinkedStage } from './links.ts'
import { scale } from './scale.ts'

const KILLS = scale(10, 2)
const FLOWING_MS = 5_000

for (const keepsStore of [true, false]) {
  const how = keepsStore ? 'with its store' : 'without its store'
  test(`the broker is killed and started ${how}: devices still have what it lost`, {
    skip: mosquittoMissing,
  }, async (t) => {
    const { stage } = await openLinkedStage(t, {
      fault: `broker killed ${KILLS} times, started ${how}`,
      fleet: { eventsPerSecond: 500 },
    })
    for (let n = 0; n < KILLS; n++) {
      await stage.more(300)
      await stage.broker.kill('SIGKILL')
      if (!keepsStore) rmSync(stage.broker.store, { force: true })
      await stage.broker.restart()
      await stage.flowing(FLOWING_MS, 'the broker was killed')
    }
    await stage.more(300)
    if (!keepsStore) assert.match(stage.ingester.log, /The broker has lost the session/)
    await stage.finish()
  })
}
