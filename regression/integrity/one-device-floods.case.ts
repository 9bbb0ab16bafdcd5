import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { quantile } from '../../bench/load/quantile.ts'
import { Checker } from '../checker.ts'
import { startEmbeddedStack } from './embedded-stack.ts'
import { Fleet } from './fleet.ts'
import { FLOOD_DEVICE, FLOODS, flood } from './flooder.ts'
import { lasting } from './lasting.ts'
import { writeRow } from './row.ts'
import { patience, scale } from './scale.ts'
import { openStage } from './stage.ts'

const CALM_MS = scale(10_000, 3_000)
const FLOOD_MS = scale(10_000, 4_000)
/** The goal is 1 s on an idle machine; on a busy one, the ratio to the calm run counts. */
const EMBEDDED: Limit = { ms: patience(1_000), ratio: 3 }
/** Mosquitto cannot slow down a device. */
const MOSQUITTO: Limit = { ms: patience(3_000), ratio: 25 }
const HONEST = { devices: 5, eventsPerSecond: 100, resendAfterMs: 30_000 }
const FLUSH_MS = 60_000

test('embedded broker: a flooding device keeps no other device waiting', async (t) => {
  const { port, httpPort } = await startEmbeddedStack(t)
  const checker = new Checker()
  const url = `mqtt://127.0.0.1:${port}`
  const stored = new Set<string | null>()
  const onAck = ({ eventId, status }: { eventId: string | null; status: string }) =>
    status === 'stored' && stored.add(eventId)
  const fleet = new Fleet({ url, checker, onAck }, HONEST)
  t.after(() => fleet.close())
  await fleet.start()
  const calm = await latencyOf(fleet, () => lasting(CALM_MS))
  for (const [name, make] of Object.entries(FLOODS)) {
    const [sent, acked, before] = [fleet.sent, fleet.acked, stored.size]
    const flooded = await latencyOf(fleet, () => flood({ port, ms: FLOOD_MS }, make))
    writeRow({
      fault: `qs up: flood of ${name} from one device; outage is the p99 of the others`,
      ...{ sent: fleet.sent - sent, acked: fleet.acked - acked, stored: stored.size - before },
      ...{ deadLetters: null, lost: 0, doubled: 0, recoverySeconds: null, peakMemoryMb: null },
      outageSeconds: flooded.p99 / 1_000,
      ...{ broken: 0, violations: [] },
    })
    tell(t, `embedded, ${name}`, { calm, flooded, limit: EMBEDDED })
  }
  fleet.pause()
  await fleet.flush(FLUSH_MS)
  assert.equal(stored.size, fleet.sent)
  const ready = await fetch(`http://127.0.0.1:${httpPort}/readyz`).then((answer) => answer.text())
  assert.match(ready, new RegExp(`${FLOOD_DEVICE}.*exceeded a budget`))
})

test('Mosquitto: 0.7 MB/s of arrays of zeros keep no other device waiting', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, { fault: 'a flood of [0,0,…] from one device (0.7 MB/s)', fleet: HONEST })
  await stage.more(100)
  const calm = await latencyOf(stage.fleet, () => lasting(CALM_MS))
  const zeros = FLOODS['arrays of zeros'] as () => string
  stage.sentBeside({ deviceId: FLOOD_DEVICE, payload: zeros(), event: null, fate: 'rejected' })
  const flooded = await latencyOf(stage.fleet, () =>
    flood({ port: stage.broker.port, ms: FLOOD_MS }, zeros, 700_000),
  )
  await stage.finish()
  tell(t, 'Mosquitto, arrays of zeros', { calm, flooded, limit: MOSQUITTO })
})

interface Latency {
  readonly p50: number
  readonly p99: number
}

/** Latency of the device acks that arrive during the work and of those still awaited at its end. */
async function latencyOf(fleet: Fleet, work: () => Promise<unknown>): Promise<Latency> {
  fleet.takeLatencies()
  await work()
  const goal = fleet.sent
  const deadlineMs = performance.now() + FLUSH_MS
  while (fleet.acked < goal && performance.now() < deadlineMs) await lasting(20)
  const sorted = [...fleet.takeLatencies()].sort((one, other) => one - other)
  const of = (share: number) => Math.round(quantile(sorted, share) ?? Number.POSITIVE_INFINITY)
  return { p50: of(0.5), p99: of(0.99) }
}

interface Limit {
  readonly ms: number
  /** Relative to the p99 without a flood. */
  readonly ratio: number
}

interface Compared {
  readonly calm: Latency
  readonly flooded: Latency
  readonly limit: Limit
}

function tell(t: TestContext, what: string, { calm, flooded, limit }: Compared): void {
  t.diagnostic(
    `${what}: device ack p50 ${flooded.p50} ms, p99 ${flooded.p99} ms; without a flood ${calm.p50} and ${calm.p99} ms`,
  )
  const maxMs = Math.max(limit.ms, calm.p99 * limit.ratio)
  assert.ok(flooded.p99 < maxMs, `${what}: p99 of ${flooded.p99} ms is above ${maxMs} ms`)
}
