import type { Report } from './report.ts'
import type { Summary } from './summary.ts'
import { type Table, tablesOf } from './tables.ts'

/** Share of the machine below which other processes do not count as a disturbance. */
const QUIET_SHARE = 0.1

/** A few lines about the machine, the versions and the settings. */
export function headerLines(report: Omit<Report, 'runs' | 'scenarios'>): readonly string[] {
  const { machine, versions, durability, settings } = report
  const pairs = (values: Readonly<Record<string, string>>, sign: string) =>
    Object.entries(values)
      .map(([name, value]) => `${name}${sign}${value}`)
      .join(', ')
  const disk = machine.isDiskInMemory ? ' — IN MEMORY: nothing is durable, choose a disk with --dir' : ''
  return [
    `${report.date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, ` +
      `${machine.memoryGb.toFixed(0)} GB, ${machine.system}`,
    pairs(versions, ' '),
    `PostgreSQL with ${pairs(durability, ' ')}; fdatasync of 8 KiB: ${machine.fdatasyncMs.toFixed(2)} ms${disk}`,
    'Mosquitto as deploy/mosquitto configures it; publisher, broker, ingester and PostgreSQL on the same cores',
    `settings of the ingester: ${pairs(settings, '=') || 'defaults'}; rounds: ${report.rounds}`,
    report.command,
  ]
}

export function printReport(report: Report, summaries: readonly Summary[]): string {
  const parts = tablesOf(report, summaries).map((table) => `${table.title}\n${plain(table)}`)
  parts.push(...notes(report, summaries))
  const failed = summaries.filter(({ faults }) => faults.length > 0)
  for (const { scenario, faults } of failed) {
    parts.push(`FAILED ${scenario.name}\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  }
  if (failed.length === 0) parts.push('Verified: every event is one row and was acked correctly.')
  return parts.join('\n\n')
}

/** The same as Markdown, for a docs page. */
export function printMarkdown(report: Report, summaries: readonly Summary[]): string {
  const header = headerLines(report).map((line) => `    ${line}`)
  const tables = tablesOf(report, summaries).map((table) => `### ${table.title}\n\n${markdown(table)}`)
  return [header.join('\n'), ...tables, ...notes(report, summaries)].join('\n\n')
}

function notes(report: Report, summaries: readonly Summary[]): readonly string[] {
  const disturbed = summaries.filter(
    ({ othersCores }) => (othersCores?.most ?? 0) > QUIET_SHARE * report.machine.cores,
  )
  const names = disturbed.map(
    ({ scenario, othersCores }) => `${scenario.name} (${othersCores?.most.toFixed(2)})`,
  )
  const notQuiet =
    `NOT QUIET: other processes used cores during ${names.join(', ')}.\n` +
    'These rates are too low, and ratios with them are unreliable: run again.'
  return [...report.missing.map((line) => `Not measured: ${line}`), ...(names.length === 0 ? [] : [notQuiet])]
}

/** Left-aligns text and right-aligns columns of figures. */
function plain({ head, rows }: Table): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const isFigures = head.map((_, column) => rows.every((row) => /^[\d.,–]/.test(row[column] ?? '')))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return isFigures[column] ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return all.map(line).join('\n')
}

function markdown({ head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}
