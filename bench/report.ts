import type { Machine } from './machine.ts'
import type { Measures, ProcessName, Result } from './run-scenario.ts'
import type { Goal } from './scenarios.ts'

export interface Report {
  readonly date: string
  readonly isQuick: boolean
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  /** What makes a COMMIT durable, as PostgreSQL says it. */
  readonly durability: Readonly<Record<string, string>>
  /** `autosave_interval` of Mosquitto. */
  readonly autosaveChanges: number
  /** Settings of the ingester that are not the defaults. */
  readonly settings: Readonly<Record<string, string>>
  readonly results: readonly Result[]
  /** Why there is no baseline, or null. */
  readonly baselineMissing: string | null
}

const PROCESSES: readonly ProcessName[] = ['subject', 'mosquitto', 'postgres', 'publisher']

/** Of the machine; what others take below it is taken for silence. */
const QUIET_SHARE = 0.1

export function printHeader(report: Omit<Report, 'results'>): string {
  const { machine, versions, durability, settings } = report
  const pairs = (values: Readonly<Record<string, string>>, sign: string) =>
    Object.entries(values)
      .map(([name, value]) => `${name}${sign}${value}`)
      .join(', ')
  const disk = machine.isDiskInMemory ? ' — IN MEMORY: nothing is durable, choose a disk with --dir' : ''
  const lines = [
    `${report.date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, ` +
      `${machine.memoryGb.toFixed(0)} GB, ${machine.system}`,
    pairs(versions, ' '),
    `PostgreSQL with ${pairs(durability, ' ')}`,
    `fdatasync of 8 KiB: ${machine.fdatasyncMs.toFixed(2)} ms${disk}`,
    `Mosquitto with persistence, saved after every ${report.autosaveChanges} changes`,
    `settings of the ingester: ${pairs(settings, '=') || 'defaults'}`,
  ]
  return lines.join('\n')
}

export function printReport(report: Report): string {
  const parts = [
    table(ratesOf(report.results)),
    `Goals${report.isQuick ? ' (quick: too short to judge)' : ''}\n${goalLines(report).join('\n')}`,
    `CPU seconds per million events\n${table(cpuOf(report.results))}`,
  ]
  if (report.baselineMissing !== null) parts.push(`No baseline and no ratio: ${report.baselineMissing}`)
  parts.push(...disturbances(report))
  const failed = report.results.filter(({ faults }) => faults.length > 0)
  for (const { scenario, faults } of failed) {
    parts.push(`FAILED ${scenario.name}\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  }
  if (failed.length === 0) parts.push('Verified: every event is one row and was acked as stored, once.')
  return parts.join('\n\n')
}

/** How many times the rate of its baseline; null where that did not run. */
export function ratioOf(result: Result, results: readonly Result[]): number | null {
  const baseline = results.find(({ scenario }) => scenario.name === result.scenario.baseline)
  if (!baseline?.measures || !result.measures) return null
  return result.measures.eventsPerSecond / baseline.measures.eventsPerSecond
}

export function judge(goal: Goal, measures: Measures): boolean | null {
  const value = measures[goal.measure]
  if (value === null) return null
  return 'atLeast' in goal ? value >= goal.atLeast : value < goal.below
}

function ratesOf(results: readonly Result[]): readonly (readonly string[])[] {
  const head = [
    'scenario',
    'window',
    'events',
    'seconds',
    'events/s',
    'p50 ms',
    'p99 ms',
    'peak MB',
    '× baseline',
    'rows',
  ]
  const rows = results.map((result) => {
    const { scenario, counts, measures, faults } = result
    const ratio = ratioOf(result, results)
    return [
      scenario.name,
      count(scenario.windowEvents),
      count(counts.measured),
      decimal(measures?.seconds, 1),
      count(measures?.eventsPerSecond),
      decimal(measures?.p50Ms, 2),
      decimal(measures?.p99Ms, 2),
      decimal(measures?.peakMemoryMb, 0),
      decimal(ratio, 1),
      faults.length === 0 ? 'all' : 'FAILED',
    ]
  })
  return [head, ...rows]
}

function cpuOf(results: readonly Result[]): readonly (readonly string[])[] {
  const rows = results.map(({ scenario, measures }) => [
    scenario.name,
    ...PROCESSES.map((name) => decimal(measures?.cpuSecondsPerMillion[name], 1)),
    decimal(measures?.othersCores, 2),
  ])
  return [['scenario', 'ingester', ...PROCESSES.slice(1), 'others (cores)'], ...rows]
}

const UNITS = {
  eventsPerSecond: { digits: 0, unit: 'events/s' },
  p50Ms: { digits: 2, unit: 'ms to the device ack (median)' },
  peakMemoryMb: { digits: 0, unit: 'MB resident at most' },
} as const

function goalLines({ results, isQuick }: Report): readonly string[] {
  return results.flatMap(({ scenario, measures }) =>
    scenario.goals.map((goal) => {
      const { digits, unit } = UNITS[goal.measure]
      const met = measures === null ? false : judge(goal, measures)
      const verdict = isQuick || met === null ? '–' : met ? 'met' : 'MISSED'
      const due = 'atLeast' in goal ? `at least ${count(goal.atLeast)}` : `under ${goal.below}`
      const value = measures?.[goal.measure]
      const figure = digits === 0 ? count(value) : decimal(value, digits)
      return `  ${verdict.padEnd(6)}  ${scenario.name}: ${figure} ${unit}, goal ${due}`
    }),
  )
}

/** A rate measured beside others is too low, and a ratio of one that was to one that was not is wrong. */
function disturbances({ results, machine }: Report): readonly string[] {
  const disturbed = results.filter(
    ({ measures }) => (measures?.othersCores ?? 0) > QUIET_SHARE * machine.cores,
  )
  if (disturbed.length === 0) return []
  const names = disturbed.map(
    ({ scenario, measures }) => `${scenario.name} (${decimal(measures?.othersCores, 2)})`,
  )
  return [
    `NOT QUIET: other processes used cores during ${names.join(', ')}.\n` +
      'These rates are too low, and ratios with them are not to be trusted: run again.',
  ]
}

function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : Math.round(value).toLocaleString('en')
}

function decimal(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined ? '–' : value.toFixed(digits)
}

/** The first column to the left, figures to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
  return rows.map(line).join('\n')
}
