import type { ProcessName } from '../runs/measures.ts'
import type { Goal } from '../scenario.ts'
import { figure, middle, range } from './figures.ts'
import type { Report } from './report.ts'
import type { Summary } from './summary.ts'

export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const PROCESSES: readonly ProcessName[] = ['subject', 'mosquitto', 'postgres', 'publisher']

/** The content of a report as tables for a terminal or a docs page. Tables without rows are left out. */
export function tablesOf(report: Report, summaries: readonly Summary[]): readonly Table[] {
  const tables = [
    rates(summaries),
    ratios(summaries),
    goals(report, summaries),
    cpu(summaries),
    guarantees(report),
  ]
  return tables.filter(({ rows }) => rows.length > 0)
}

function rates(summaries: readonly Summary[]): Table {
  return {
    title: 'Rates and latencies',
    head: [
      'scenario',
      'events/s',
      'range',
      'seconds',
      'p50 ms',
      'p99 ms',
      'p99.9 ms',
      'peak MB',
      'ready s',
      'rows',
    ],
    rows: summaries.map((each) => [
      each.scenario.name,
      middle(each.rate),
      range(each.rate),
      middle(each.seconds, 1),
      middle(each.p50Ms, 2),
      middle(each.p99Ms, 2),
      middle(each.p999Ms, 2),
      middle(each.peakMemoryMb),
      middle(each.readySeconds, 2),
      each.faults.length === 0 ? 'all' : 'FAILED',
    ]),
  }
}

function ratios(summaries: readonly Summary[]): Table {
  return {
    title: 'Ratios of rates, round by round',
    head: ['scenario', 'divided by', 'ratio', 'range'],
    rows: summaries.flatMap(({ scenario, ratios }) =>
      ratios
        .filter(({ value }) => value !== null)
        .map(({ to, value }) => [scenario.name, to, middle(value, 2), range(value, 2)]),
    ),
  }
}

function goals({ isQuick }: Report, summaries: readonly Summary[]): Table {
  return {
    title: isQuick ? 'Goals (quick: too short to judge)' : 'Goals',
    head: ['scenario', 'what', 'goal', 'reached', 'verdict'],
    rows: summaries.flatMap(({ scenario, goals }) =>
      goals
        .filter(({ isMet }) => isMet !== null)
        .map(({ goal, value, isMet }) => {
          const { what, digits } = wordsFor(goal)
          const due = 'atLeast' in goal ? `at least ${figure(goal.atLeast, digits)}` : `under ${goal.below}`
          const verdict = isQuick ? '–' : isMet ? 'met' : 'MISSED'
          return [scenario.name, what, due, middle(value, digits), verdict]
        }),
    ),
  }
}

function wordsFor(goal: Goal): { readonly what: string; readonly digits: number } {
  switch (goal.measure) {
    case 'eventsPerSecond':
      return { what: 'events per second', digits: 0 }
    case 'p50Ms':
      return { what: 'ms to the answer, p50', digits: 2 }
    case 'p99Ms':
      return { what: 'ms to the answer, p99', digits: 2 }
    case 'peakMemoryMb':
      return { what: 'MB peak resident memory', digits: 0 }
    case 'subjectCpu':
      return { what: 'CPU seconds per million events', digits: 1 }
    case 'ratio':
      return { what: `× ${goal.to}`, digits: 2 }
  }
}

function cpu(summaries: readonly Summary[]): Table {
  return {
    title: 'CPU seconds per million events',
    head: ['scenario', 'ingester or peer', ...PROCESSES.slice(1), 'others (cores)'],
    rows: summaries
      .filter(({ scenario, rate }) => rate !== null && scenario.course.kind !== 'paced')
      .map(({ scenario, cpuSecondsPerMillion, othersCores }) => [
        scenario.name,
        ...PROCESSES.map((name) => middle(cpuSecondsPerMillion[name], 1)),
        middle(othersCores, 2),
      ]),
  }
}

function guarantees({ subjects }: Report): Table {
  return {
    title: 'What each guarantees',
    head: ['who', 'guarantee'],
    rows: subjects.map(({ title, guarantee }) => [title, guarantee]),
  }
}
