import type { Measures, ProcessName, Run } from '../runs/measures.ts'
import type { Goal, Scenario } from '../scenario.ts'
import { type Spread, spreadOf } from './median.ts'
import type { Report } from './report.ts'

export interface Summary {
  readonly scenario: Scenario
  readonly rate: Spread | null
  readonly seconds: Spread | null
  readonly p50Ms: Spread | null
  readonly p99Ms: Spread | null
  readonly p999Ms: Spread | null
  readonly readySeconds: Spread | null
  readonly peakMemoryMb: Spread | null
  readonly othersCores: Spread | null
  readonly cpuSecondsPerMillion: Readonly<Record<ProcessName, Spread | null>>
  readonly ratios: readonly Ratio[]
  readonly goals: readonly Verdict[]
  /** Faults of all rounds, each with its round. */
  readonly faults: readonly string[]
}

/** Rate as a multiple of another scenario's, by round. */
export interface Ratio {
  readonly to: string
  /** null if the other did not run. */
  readonly value: Spread | null
}

export interface Verdict {
  readonly goal: Goal
  readonly value: Spread | null
  /** By the median; null if there is nothing to judge. A failed scenario misses its goals. */
  readonly isMet: boolean | null
}

export function summarise({ scenarios, runs }: Pick<Report, 'scenarios' | 'runs'>): readonly Summary[] {
  return scenarios.map((scenario) => summaryOf(scenario, runs))
}

function summaryOf(scenario: Scenario, all: readonly Run[]): Summary {
  const runs = all.filter((run) => run.scenario === scenario.name)
  const spread = (read: (measures: Measures) => number | null) =>
    spreadOf(runs.map(({ measures }) => (measures === null ? null : read(measures))))
  const compared = new Set(scenario.goals.flatMap((goal) => (goal.measure === 'ratio' ? [goal.to] : [])))
  const summary = {
    scenario,
    rate: spread(({ eventsPerSecond }) => eventsPerSecond),
    seconds: spread(({ seconds }) => seconds),
    p50Ms: spread(({ p50Ms }) => p50Ms),
    p99Ms: spread(({ p99Ms }) => p99Ms),
    p999Ms: spread(({ p999Ms }) => p999Ms),
    readySeconds: spread(({ readySeconds }) => readySeconds),
    peakMemoryMb: spread(({ peakMemoryMb }) => peakMemoryMb),
    othersCores: spread(({ othersCores }) => othersCores),
    cpuSecondsPerMillion: {
      subject: spread(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion.subject),
      mosquitto: spread(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion.mosquitto),
      postgres: spread(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion.postgres),
      publisher: spread(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion.publisher),
    },
    ratios: [...compared, ...scenario.comparedTo].map((to) => ({ to, value: ratioOf(runs, to, all) })),
    faults: runs.flatMap(({ round, faults }) => faults.map((fault) => `round ${round}: ${fault}`)),
  }
  const hasFailed = summary.faults.length > 0
  return { ...summary, goals: scenario.goals.map((goal) => judge(goal, summary, hasFailed)) }
}

/** Computed within each round: a temporarily slow machine is slow for both. */
function ratioOf(runs: readonly Run[], to: string, all: readonly Run[]): Spread | null {
  return spreadOf(
    runs.map(({ round, measures }) => {
      const other = all.find((run) => run.scenario === to && run.round === round)
      if (!measures || !other?.measures) return null
      return measures.eventsPerSecond / other.measures.eventsPerSecond
    }),
  )
}

function judge(goal: Goal, summary: Omit<Summary, 'goals'>, hasFailed: boolean): Verdict {
  const value = figureOf(goal, summary)
  if (value === null) return { goal, value, isMet: hasFailed ? false : null }
  const isReached = 'atLeast' in goal ? value.median >= goal.atLeast : value.median < goal.below
  return { goal, value, isMet: isReached && !hasFailed }
}

function figureOf(goal: Goal, summary: Omit<Summary, 'goals'>): Spread | null {
  switch (goal.measure) {
    case 'eventsPerSecond':
      return summary.rate
    case 'ratio':
      return summary.ratios.find(({ to }) => to === goal.to)?.value ?? null
    case 'subjectCpu':
      return summary.cpuSecondsPerMillion.subject
    case 'p50Ms':
    case 'p99Ms':
    case 'peakMemoryMb':
      return summary[goal.measure]
  }
}
