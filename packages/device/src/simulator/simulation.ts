import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DeviceCounts } from '../tally.ts'
import { Fleet } from './fleet.ts'
import { Pace } from './pace.ts'
import { brokenOf, reportAt, type Turn } from './report.ts'
import { resolveOptions, type SimulationOptions } from './simulation-options.ts'
import { isOnline, traitsOf, trueTimeMs } from './world.ts'

/** A running simulation. */
export interface Simulation {
  /**
   * The final counters, once all events have their device ack, or the drain timeout is over: then `waiting` is above 0.
   *
   * @throws DeviceError `CONNECTION` if the broker cannot be reached at the start.
   */
  readonly done: Promise<DeviceCounts>
  counts(): DeviceCounts
  /** Sends nothing new, waits for outstanding device acks for at most `drainTimeoutMs`, and ends. */
  stop(): Promise<DeviceCounts>
}

/** Yields to the event loop after this many reports, even if there is nothing to wait for. */
const REPORTS_PER_TURN = 50

/** Starts simulated devices that publish, go offline, come back and have wrong clocks. */
export function simulate(options: SimulationOptions): Simulation {
  const settings = resolveOptions(options, Date.now())
  const deviceIds = Array.from(
    { length: settings.devices },
    (_, index) => traitsOf(settings.world, index).deviceId,
  )
  const fleet = new Fleet(deviceIds, { ...settings, broker: options.broker })
  const stopping = new AbortController()
  const done = run(fleet, settings, stopping.signal)
  return {
    done,
    counts: () => fleet.counts(),
    stop: () => {
      stopping.abort()
      return done
    },
  }
}

type Settings = ReturnType<typeof resolveOptions>

async function run(fleet: Fleet, settings: Settings, stopping: AbortSignal): Promise<DeviceCounts> {
  try {
    await fleet.connect(settings.connectTimeoutMs)
    await play(fleet, settings, stopping)
    await fleet.waitFor(0, AbortSignal.timeout(settings.drainTimeoutMs))
    return fleet.counts()
  } finally {
    await fleet.close()
  }
}

async function play(fleet: Fleet, settings: Settings, stopping: AbortSignal): Promise<void> {
  const { world, durationMs, maxWaitingEvents } = settings
  const pace = new Pace(world.startMs, settings.speed, stopping)
  const order = Array.from({ length: settings.devices }, (_, index) => ({
    index,
    traits: traitsOf(world, index),
  }))
  order.sort((a, b) => a.traits.phaseMs - b.traits.phaseMs)
  const ticks = Math.ceil(durationMs / world.intervalMs)
  const unsaid = new Map(order.map(({ index }) => [index, 0]))
  let left = settings.events
  let reports = 0

  for (let tick = 0; tick < ticks; tick++) {
    for (const { index, traits } of order) {
      await pace.until(trueTimeMs(world, traits, tick))
      if (++reports % REPORTS_PER_TURN === 0) {
        await nextTurn()
        await fleet.waitFor(maxWaitingEvents, stopping)
      }
      if (stopping.aborted || left <= 0) return
      // Every device is online for the last report, so that a finished simulation leaves no backlog.
      if (tick < ticks - 1 && !isOnline(world, index, tick)) continue
      for (let missed = unsaid.get(index) ?? 0; missed <= tick; missed++)
        left = say(fleet, settings, { index, tick: missed, left })
      unsaid.set(index, tick + 1)
      sayBroken(fleet, settings, { index, tick })
    }
  }
}

function say(fleet: Fleet, { world }: Settings, { left, ...turn }: Turn & { readonly left: number }): number {
  const events = reportAt(world, turn, Date.now()).slice(0, Math.max(0, left))
  // The counters show their outcomes, and how many got no device ack in time.
  for (const event of events)
    fleet
      .session(turn.index)
      ?.send(event)
      .catch(() => {})
  return left - events.length
}

function sayBroken(fleet: Fleet, { world }: Settings, { index, tick }: Turn): void {
  const broken = brokenOf(world, index, tick)
  if (broken !== null)
    fleet
      .session(index)
      ?.sendRaw(broken)
      .catch(() => {})
}
