import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readDeviceTime } from '@qs-telemetry/protocol'
import { EventSchema } from '@qs-telemetry/protocol/schemas'
import fc from 'fast-check'
import { Compile } from 'typebox/compile'
import { brokenOf, isOnline, reportOf, traitsOf, type World } from '../../src/index.ts'
import { reportAt } from '../../src/simulator/report.ts'

const share = fc.double({ min: 0, max: 1, noNaN: true })
const world: fc.Arbitrary<World> = fc.record({
  seed: fc.nat(),
  startMs: fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) }),
  intervalMs: fc.integer({ min: 100, max: 3_600_000 }),
  timeZone: fc.constantFrom('America/Los_Angeles', 'Europe/Berlin', 'Asia/Kathmandu', 'UTC'),
  devicePrefix: fc.constantFrom('sim-', 'esp32-', ''),
  faults: fc.record({
    ...{ offline: share, epoch1970: share, drifting: share, clockless: share, broken: share },
  }),
})
const index = fc.nat({ max: 2_000 })
const tick = fc.nat({ max: 1_000_000 })
const isEvent = Compile(EventSchema)

/** A device time, as the ingester reads it. */
function readMs(tsDevice: unknown, timeZone: string, nearMs: number): number {
  const time = readDeviceTime(tsDevice, { timeZone, serverTime: { epochMs: nearMs, micros: 0 } })
  assert.ok(time.kind === 'instant' || time.kind === 'local')
  return time.at.epochMs
}

describe('the model of the simulator', () => {
  it('makes only events that the contract accepts', () => {
    fc.assert(
      fc.property(world, index, tick, (w, i, t) => {
        const events = reportOf(w, i, t)
        assert.ok(events.length > 0)
        for (const event of events) assert.ok(isEvent.Check(event), JSON.stringify(event))
      }),
    )
  })

  it('makes the same events from the same seed, and others from another', () => {
    fc.assert(
      fc.property(world, index, tick, (w, i, t) => {
        assert.deepEqual(reportOf(w, i, t), reportOf({ ...w }, i, t))
        assert.equal(brokenOf(w, i, t), brokenOf({ ...w }, i, t))
      }),
    )
    const w = fc.sample(world, { numRuns: 1, seed: 1 })[0]
    assert.ok(w !== undefined)
    assert.notDeepEqual(reportOf(w, 0, 3), reportOf({ ...w, seed: w.seed + 1 }, 0, 3))
  })

  it('gives each event its own id, in order, across reports, boots and devices', () => {
    fc.assert(
      fc.property(world, tick, (w, first) => {
        const all = new Set<string>()
        let count = 0
        for (const device of [0, 1, 2]) {
          const ids = Array.from({ length: 60 }, (_, at) => reportOf(w, device, first + at)).flat()
          const ordered = ids.map((event) => event.event_id)
          assert.deepEqual(ordered, ordered.toSorted())
          for (const id of ordered) all.add(id)
          count += ordered.length
        }
        assert.equal(all.size, count)
      }),
      { numRuns: 30 },
    )
  })

  it('uses other ids for the same seed with another start, since another time would be a conflict', () => {
    fc.assert(
      fc.property(world, index, tick, (w, i, t) => {
        const later = reportOf({ ...w, startMs: w.startMs + 1 }, i, t)
        const ids = new Set(reportOf(w, i, t).map((event) => event.event_id))
        assert.ok(later.every((event) => !ids.has(event.event_id)))
      }),
    )
  })

  it('lets clocks drift as configured: by the ppm of the device since boot, in every time format', () => {
    const drifting = world.map((w) => ({
      ...w,
      faults: { ...w.faults, drifting: 1, epoch1970: 0, clockless: 0 },
    }))
    fc.assert(
      fc.property(drifting, index, tick, (w, i, t) => {
        const traits = traitsOf(w, i)
        assert.ok(Math.abs(traits.driftPpm) >= 50 && Math.abs(traits.driftPpm) <= 500)
        const nowMs = w.startMs + t * w.intervalMs + traits.phaseMs
        const sinceBootMs = (t % traits.bootTicks) * w.intervalMs
        const shown = readMs(reportOf(w, i, t)[0]?.ts_device, w.timeZone, nowMs)
        const resolutionMs = traits.timeFormat === 'unix' ? 1000 : 1
        const expected = nowMs + (sinceBootMs * traits.driftPpm) / 1e6
        assert.ok(Math.abs(shown - expected) <= resolutionMs, `${shown} is not ${expected}`)
      }),
    )
  })

  it('starts clocks in 1970 at boot where configured, until NTP sets them', () => {
    const early = world.map((w) => ({
      ...w,
      faults: { ...w.faults, drifting: 0, epoch1970: 1, clockless: 0 },
    }))
    fc.assert(
      fc.property(early, index, (w, i) => {
        const { ntpAfterMs, phaseMs } = traitsOf(w, i)
        assert.ok(ntpAfterMs !== null)
        const set = Math.ceil(ntpAfterMs / w.intervalMs)
        assert.equal(readMs(reportOf(w, i, 0)[0]?.ts_device, w.timeZone, 0), 0)
        const trueMs = w.startMs + set * w.intervalMs + phaseMs
        const shown = readMs(reportOf(w, i, set)[0]?.ts_device, w.timeZone, trueMs)
        // A boot shorter than the wait for NTP starts in 1970 again.
        if (set < traitsOf(w, i).bootTicks) assert.ok(Math.abs(shown - trueMs) <= 1000)
      }),
    )
  })

  it('gives boards without a clock an age that leads to the true time, and all others their own time', () => {
    fc.assert(
      fc.property(world, index, tick, fc.nat({ max: 86_400_000 }), (w, i, t, laterMs) => {
        const trueMs = w.startMs + t * w.intervalMs + traitsOf(w, i).phaseMs
        for (const clockless of [0, 1]) {
          const at = { ...w, faults: { ...w.faults, clockless } }
          const events = reportAt(at, { index: i, tick: t }, trueMs + laterMs)
          for (const event of events) {
            assert.ok(isEvent.Check(event), JSON.stringify(event))
            assert.equal('ts_device' in event, clockless === 0)
            assert.equal(event.age_ms, clockless === 1 ? laterMs : undefined)
          }
        }
      }),
    )
  })

  it('breaks and disconnects nothing without faults, and everything or a share with them', () => {
    fc.assert(
      fc.property(world, index, tick, (w, i, t) => {
        const sound = { ...w, faults: { offline: 0, epoch1970: 0, drifting: 0, clockless: 0, broken: 0 } }
        assert.equal(brokenOf(sound, i, t), null)
        assert.ok(isOnline(sound, i, t))
        const broken = brokenOf({ ...w, faults: { ...w.faults, broken: 1 } }, i, t)
        assert.ok(broken !== null && !isSoundEvent(broken, traitsOf(w, i).deviceId))
      }),
    )
    const flaky = {
      ...fc.sample(world, 1)[0],
      seed: 7,
      intervalMs: 60_000,
      faults: { offline: 1, epoch1970: 0, drifting: 0, clockless: 0, broken: 0 },
    }
    const online = Array.from({ length: 10_000 }, (_, t) => isOnline(flaky as World, 0, t)).filter(
      Boolean,
    ).length
    assert.ok(online > 6_000 && online < 8_000, `${online} of 10,000 ticks online`)
  })
})

function isSoundEvent(text: string, deviceId: string): boolean {
  try {
    const event: unknown = JSON.parse(text)
    return isEvent.Check(event) && event.device_id === deviceId
  } catch {
    return false
  }
}
