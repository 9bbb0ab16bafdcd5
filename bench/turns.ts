import { GrowingDatabase } from './growth/growing-database.ts'
import type { Progress } from './report/progress.ts'
import type { Run } from './runs/measures.ts'
import { runScenario } from './runs/run-scenario.ts'
import type { Scenario } from './scenario.ts'
import type { Stack } from './stack/stack.ts'

/** Above the boot counter that a growing table is filled with. */
const FIRST_BOOT = 10

export interface TurnsOptions {
  readonly scenarios: readonly Scenario[]
  readonly rounds: number
  readonly isQuick: boolean
  readonly signal: AbortSignal
  readonly progress: Progress
}

/**
 * Runs the scenarios in turns, so that changes on the machine affect all of them alike. A growing table cannot shrink,
 * so each of its steps runs all its rounds in sequence.
 */
export async function runInTurns(stack: Stack, options: TurnsOptions): Promise<readonly Run[]> {
  const { scenarios, rounds } = options
  const growing = new GrowingDatabase(stack.database)
  const fresh = scenarios.filter(({ rowsThere }) => rowsThere === null)
  const steps = scenarios.filter(({ rowsThere }) => rowsThere !== null)
  const order = Array.from({ length: rounds }, (_, place) => place + 1)
  const turns = [
    ...order.flatMap((round) => fresh.map((scenario) => ({ scenario, round }))),
    ...steps.flatMap((scenario) => order.map((round) => ({ scenario, round }))),
  ]
  const runs: Run[] = []
  for (const [place, turn] of turns.entries()) {
    const boot = FIRST_BOOT + place
    runs.push(await runTurn(stack, growing, { ...options, ...turn, boot }))
  }
  return runs
}

type Turn = TurnsOptions & { readonly scenario: Scenario; readonly round: number; readonly boot: number }

async function runTurn(stack: Stack, growing: GrowingDatabase, turn: Turn): Promise<Run> {
  const { scenario, round, boot, rounds, isQuick, signal, progress } = turn
  const label = rounds === 1 ? scenario.name : `${scenario.name} (${round} of ${rounds})`
  progress.say(`${label}: starting`)
  const { ids, rowsThere } = scenario
  const databaseUrl =
    rowsThere === null
      ? null
      : await growing.with(ids, rowsThere, (text) => progress.say(`${label}: filling: ${text}`))
  signal.throwIfAborted()
  const outcome = await runScenario(stack, scenario, {
    counts: isQuick ? scenario.events.quick : scenario.events.full,
    databaseUrl,
    boot,
    signal,
    onProgress: (confirmed, events) =>
      progress.say(`${label}: ${Math.floor((100 * confirmed) / events)} % confirmed`),
  })
  progress.done(`${label}: ${said(outcome)}`)
  return { scenario: scenario.name, round, ...outcome }
}

function said({ measures, faults }: Pick<Run, 'measures' | 'faults'>): string {
  if (measures === null || faults.length > 0) return `FAILED: ${faults[0] ?? ''}`
  return `${Math.round(measures.eventsPerSecond).toLocaleString('en')} events/s`
}
