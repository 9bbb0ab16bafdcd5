import { pino } from 'pino'
import type { Log } from '../../qs/src/telemetry/log.ts'

export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly msg: string
  readonly [field: string]: unknown
}

export interface SilentLog {
  readonly log: Log
  /** Everything that was logged, oldest first; children included. */
  readonly records: readonly LogRecord[]
}

/**
 * A log that prints nothing and keeps its records, so that a test can check what an operator would read.
 */
export function silentLog(onRecord: (record: LogRecord) => void = () => {}): SilentLog {
  const records: LogRecord[] = []
  const log = pino(
    { level: 'debug', base: null, formatters: { level: (level) => ({ level }) } },
    {
      write: (line: string) => {
        const record = JSON.parse(line) as LogRecord
        records.push(record)
        onRecord(record)
      },
    },
  )
  return { log, records }
}
