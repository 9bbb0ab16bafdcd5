import type { Row } from './row.ts'

const COLUMNS = [
  'fault',
  'sent',
  'acked',
  'stored',
  'dead letters',
  'lost',
  'duplicated',
  'outage s',
  'flowing after s',
  'peak MB',
] as const

/** One line for each fault, and whether the promises held. */
export function table(rows: readonly Row[], style: 'text' | 'markdown'): string {
  const lines = rows.map(cells)
  if (style === 'markdown') {
    const rule = ['---', ...COLUMNS.slice(1).map(() => '--:')]
    return [COLUMNS, rule, ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n')
  }
  const widths = COLUMNS.map((name, at) =>
    Math.max(name.length, ...lines.map((line) => line[at]?.length ?? 0)),
  )
  return [COLUMNS, ...lines]
    .map((line) => line.map((cell, at) => pad(cell, widths[at] ?? 0, at)).join('  '))
    .join('\n')
}

function cells(row: Row): readonly string[] {
  if (row.skipped !== undefined)
    return [`${row.fault} (not here: ${row.skipped})`, ...COLUMNS.slice(1).map(() => '')]
  return [
    row.broken > 0 ? `${row.fault} — BROKEN` : row.fault,
    ...[row.sent, row.acked, row.stored, row.deadLetters, row.lost, row.doubled].map(
      (count) => count?.toLocaleString('en') ?? '',
    ),
    row.outageSeconds.toFixed(1),
    row.recoverySeconds?.toFixed(1) ?? '',
    row.peakMemoryMb === null ? '' : String(row.peakMemoryMb),
  ]
}

/** Left-aligns text and right-aligns numbers. */
function pad(cell: string, width: number, at: number): string {
  return at === 0 ? cell.padEnd(width) : cell.padStart(width)
}
