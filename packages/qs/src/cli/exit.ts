import { CommanderError } from 'commander'
import pc from 'picocolors'
import { readVariable } from '../config/environment.ts'
import { ConfigError } from '../config/load.ts'
import { visibleLines } from '../telemetry/visible.ts'

/** Exit codes: 0 done, 1 failed, 2 wrong usage or settings. */
export const FAILED = 1
export const WRONG_USAGE = 2

/** An error whose message is for the user; printed without a stack trace. */
export class CliError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number = FAILED) {
    super(message)
    this.name = 'CliError'
    this.exitCode = exitCode
  }
}

/** Prints the error and ends the process with its exit code. */
export function fail(error: unknown): never {
  // Commander has already printed its own errors.
  if (!(error instanceof CommanderError))
    process.stderr.write(`${pc.red('error:')} ${visibleLines(describe(error))}\n`)
  process.exit(exitCodeOf(error))
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE
  if (error instanceof ConfigError) return WRONG_USAGE
  return error instanceof CliError ? error.exitCode : FAILED
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Several addresses were tried and none answered: Node leaves the message empty.
  if (error instanceof AggregateError) return error.errors.map((each) => (each as Error).message).join('; ')
  return readVariable('QS_DEBUG') ? (error.stack ?? error.message) : error.message.trimEnd()
}
