import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { patience, scale } from './scale.ts'
import { openStage } from './stage.ts'

const TIMES = scale(15, 2)
/** The ingester has five seconds to drain, and logs if they were not enough; then it closes and exits. */
const END_MS = patience(10_000)
/** Not a measurement: loading a program on a busy machine takes long. */
const START_MS = 60_000

test(`SIGTERM under load, ${TIMES} times: drained within 5 s, exit 0, and no batch was cut off`, {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: `SIGTERM under load ${TIMES} times`,
    fleet: { eventsPerSecond: 1_000, resendAfterMs: 10_000 },
  })
  let worstMs = 0
  for (let n = 0; n < TIMES; n++) {
    await stage.more(1_000, START_MS)
    const startMs = performance.now()
    await stage.ingester.kill('SIGTERM')
    worstMs = Math.max(worstMs, performance.now() - startMs)
    assert.equal(await stage.ingester.exit(), 0)
    assert.doesNotMatch(stage.ingester.log, /Not everything could be finished/)
    stage.ingester.start()
    await stage.more(1, START_MS)
  }
  assert.ok(worstMs < END_MS, `a stop took ${worstMs} ms`)
  await stage.finish()
  t.diagnostic(`the slowest stop took ${worstMs.toFixed(0)} ms`)
})
