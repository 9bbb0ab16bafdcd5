import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { lasting } from './lasting.ts'
import { patience, scale } from './scale.ts'
import { openStage } from './stage.ts'

const CALM_MS = scale(10_000, 3_000)
const FLOOD_MS = scale(30_000, 5_000)
/** Generous: batches are larger in a flood, and the machine may be busy with other things. */
const MAX_RATIO = patience(25)

test('a device that sends thirty times as much as all others together does not delay them', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: 'a flood from one device (3,000 events per second)',
    fleet: { devices: 10, eventsPerSecond: 100 },
  })
  await stage.more(100)
  stage.fleet.takeLatencies()
  await lasting(CALM_MS)
  const calmMs = median(stage.fleet.takeLatencies())
  const flood = stage.addFleet({ name: 'flood', devices: 1, eventsPerSecond: 3_000, arrayEvents: 50 })
  await flood.start()
  await lasting(FLOOD_MS)
  const floodMs = median(stage.fleet.takeLatencies())
  await stage.finish()
  t.diagnostic(`median ack latency ${calmMs.toFixed(1)} ms, in the flood ${floodMs.toFixed(1)} ms`)
  assert.ok(floodMs < calmMs * MAX_RATIO, `${floodMs} ms is more than ${MAX_RATIO} times ${calmMs} ms`)
})

function median(numbers: readonly number[]): number {
  assert.ok(numbers.length > 0, 'no event was acked')
  return [...numbers].sort((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN
}
