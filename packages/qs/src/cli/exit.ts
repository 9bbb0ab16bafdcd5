import { CommanderError } from 'commander'
import pc from 'picocolors'
import { readVariable } from '../config/environment.ts'
import { asQsError } from '../database/query-failure.ts'
import { QsError } from '../errors/qs-error.ts'
import { visibleLines } from '../telemetry/visible.ts'

/** Exit codes: 0 done, 1 failed, 2 wrong usage or settings. */
const [FAILED, WRONG_USAGE] = [1, 2] as const

/** Prints the error with its code and ends the process with its exit code. */
export function fail(error: unknown): never {
  // Commander has already printed its own errors.
  if (!(error instanceof CommanderError))
    process.stderr.write(`${report(error, process.argv.includes('--json'))}\n`)
  process.exit(exitCodeOf(error))
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE
  return (error instanceof QsError && error.entry.exitCode) || FAILED
}

/** The error as text, or as a line of JSON for scripts. */
export function report(error: unknown, isJson: boolean): string {
  const { code, message } = asQsError(error)
  if (isJson) return JSON.stringify({ error: { code, message } })
  const stack = readVariable('QS_DEBUG') && error instanceof Error ? `\n${error.stack}` : ''
  return `${pc.red('error')} ${code}: ${visibleLines(message + stack)}`
}
