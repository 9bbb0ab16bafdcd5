import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** The outcome of one fault: a line of the table. */
export interface Row {
  /** File name of the case. */
  readonly case: string
  readonly fault: string
  readonly sent: number
  readonly acked: number
  readonly stored: number
  /** null if not counted. */
  readonly deadLetters: number | null
  readonly lost: number
  readonly doubled: number
  /** The longest time without a device ack; for an outage, about its length. */
  readonly outageSeconds: number
  /** The longest time from the end of a fault to the next device ack; null if not measured. */
  readonly recoverySeconds: number | null
  /** null if not measured. */
  readonly peakMemoryMb: number | null
  /** Number of broken promises, and the first as text. */
  readonly broken: number
  readonly violations: readonly string[]
  /** Why it could not run here. */
  readonly skipped?: string
}

/** Where `npm run regression` collects the rows; without it they are only reported as diagnostics. */
const directory = process.env.QS_REGRESSION_RESULTS

const CASE = basename(process.argv[1] ?? '').replace(/\.case\.ts$/, '')
let rows = 0

export function writeRow(row: Omit<Row, 'case'>): void {
  if (directory === undefined) return
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `${CASE}.${rows++}.json`), JSON.stringify({ case: CASE, ...row }))
}

/** Writes the line of a fault that cannot be caused on this machine. */
export function writeSkipped(fault: string, why: string): void {
  const nothing = { sent: 0, acked: 0, stored: 0, deadLetters: 0, lost: 0, doubled: 0 }
  writeRow({
    fault,
    ...nothing,
    outageSeconds: 0,
    recoverySeconds: null,
    peakMemoryMb: 0,
    broken: 0,
    violations: [],
    skipped: why,
  })
}

export function readRows(from: string): readonly Row[] {
  return readdirSync(from)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(from, name), 'utf8')) as Row)
}
