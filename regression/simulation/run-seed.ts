import { Checker } from '../checker.ts'
import { castDirect, castWithBroker } from './cast.ts'
import { Database } from './database.ts'
import { directFaults, heal } from './fault-director.ts'
import { chooseFaults } from './faults.ts'
import { EPOCH_MS } from './ingester.ts'
import { peopleWorld } from './people-world.ts'
import { Random } from './random.ts'
import { Timeline } from './timeline.ts'
import type { World } from './world.ts'

export interface SeedResult {
  readonly seed: number
  /** Empty if every promise held. */
  readonly violations: readonly string[]
  readonly simulatedMs: number
  readonly steps: number
  readonly tally: Checker['tally']
  /** Must be the same for the same seed, or the run is not reproducible. */
  readonly digest: string
}

/** In each third seed devices speak to `qs up`, in all others to a broker. */
const DIRECT_EVERY = 3
/** Everything must be stored and acked this long after the last fault: more than twice the sink's longest timeout. */
const QUIET_WITHIN_MS = 600_000

/**
 * Runs one simulated world from its first message to the last ack. Everything follows from the seed.
 *
 * @param onStory called with a line of text for each step that matters; does not change the run
 */
export async function runSeed(
  seed: number,
  onStory: ((line: string) => void) | null = null,
): Promise<SeedResult> {
  const random = new Random(seed)
  const timeline = new Timeline()
  const checker = new Checker()
  const faults = chooseFaults(random)
  const tell =
    onStory &&
    ((who: string, what: string) => onStory(`${timeline.nowMs.toFixed(1).padStart(9)} ms  ${who}: ${what}`))
  const world: World = { timeline, random, faults, checker, tell }

  const database = new Database(world, () => new Date(EPOCH_MS + timeline.nowMs).toISOString().slice(0, 16))
  const cast = (seed % DIRECT_EVERY === 0 ? castDirect : castWithBroker)(world, database)
  const { network, ingesters } = cast
  for (const each of ingesters) each.start()

  const durationMs = random.between(2_000, 12_000)
  const stage = { network, database, ingesters }
  const devices = peopleWorld(world, durationMs, cast.makeDevice)
  directFaults(world, stage)
  timeline.after(durationMs, () => heal(world, stage))

  const onRejection = (error: unknown) => checker.violations.push(`unhandled rejection: ${error}`)
  process.on('unhandledRejection', onRejection)
  const isQuiet = () =>
    !faults.isOn &&
    cast.isIdle() &&
    ingesters.every((each) => each.isIdle) &&
    devices.every((device) => device.isDone)
  const isOver = () => {
    for (const each of ingesters) each.checkBounds()
    return checker.violations.length > 0 || isQuiet()
  }
  await timeline.run(isOver, durationMs + QUIET_WITHIN_MS)
  if (checker.violations.length === 0) {
    if (!isQuiet()) checker.violations.push(`not quiet ${QUIET_WITHIN_MS / 1000} s after the last fault`)
    checker.quiet()
    cast.judge()
  }
  process.off('unhandledRejection', onRejection)
  for (const violation of checker.violations) tell?.('VIOLATED', violation)
  return {
    seed,
    violations: checker.violations,
    simulatedMs: timeline.nowMs,
    steps: timeline.steps,
    tally: checker.tally,
    digest: `${timeline.steps} ${timeline.nowMs} ${random.next()}`,
  }
}
