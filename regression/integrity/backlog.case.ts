import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { openLinkedStage } from './links.ts'

const BACKLOG = 100_000
const EVENTS_PER_SECOND = 4_000
/** Devices send nothing twice: the broker must keep it. */
const NEVER_MS = 600_000
const IN_FLIGHT = 1_000
const DRAINED_MS = 120_000

test('a backlog of 100,000 messages, on a broker that overshoots the receive window, in less than 256 MB', {
  skip: mosquittoMissing,
}, async (t) => {
  const { stage, brokerLink, databaseLink, pubacks } = await openLinkedStage(t, {
    fault: 'backlog of 100,000 messages, window overshot',
    fleet: { resendAfterMs: NEVER_MS },
    settings: { IN_FLIGHT_MESSAGES: String(IN_FLIGHT) },
    maxMemoryMb: 256,
  })
  await stage.more(300)
  await stage.ingester.kill('SIGKILL')
  const flood = stage.addFleet({ name: 'flood', eventsPerSecond: EVENTS_PER_SECOND, resendAfterMs: NEVER_MS })
  await flood.start()
  await until(() => flood.sent >= BACKLOG, 'the backlog is there', 120_000)
  flood.pause()
  stage.fleet.pause()

  stage.ingester.start()
  await stage.ingester.ready()
  // Nothing is answered now; after the reset the broker resends what it takes for lost.
  databaseLink.set({ kind: 'silent' })
  await until(
    async () => ((await stage.ingester.gauges())?.messagesInFlight ?? 0) >= IN_FLIGHT,
    'the window is full',
  )
  brokerLink.reset()
  databaseLink.heal()
  await stage.finish({ quietMs: DRAINED_MS })
  t.diagnostic(`at most ${pubacks.widest} unanswered at once, with a Receive Maximum of ${IN_FLIGHT}`)
  assert.ok(pubacks.widest >= IN_FLIGHT)
})
