import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { leash } from '@qs-telemetry/testing/leash.ts'

export interface ChildOptions {
  /** Name for messages. */
  readonly name: string
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  /** Working directory; must not contain a `.env` of this repository. */
  readonly directory: string
  /** File for its output. */
  readonly logFile: string
}

export interface Child {
  readonly name: string
  readonly pid: number
  /** Resolves with the reason if it ends without `stop()`. */
  readonly failed: Promise<Error>
  /** @throws if it has ended, with the end of its output */
  check(): void
  output(): string
  /** Sends SIGTERM, then SIGKILL. Resolves with the exit code, or null if it had to be killed. */
  stop(): Promise<number | null>
}

const TERM_TIMEOUT_MS = 10_000
const TAIL_LINES = 20

/** Starts a server process that never outlives the bench. */
export function startChild({ name, command, env, directory, logFile }: ChildOptions): Child {
  const log = openSync(logFile, 'a', 0o644)
  const [program, ...args] = command
  // A separate process group, or Ctrl-C in the terminal would end the process before the bench stops it.
  const process = spawn(program, args, { env, cwd: directory, stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  leash(process)

  const output = () => readFileSync(logFile, 'utf8')
  let end: string | null = null
  let isStopping = false
  const failed = new Promise<Error>((resolve) => {
    const onEnd = (how: string) => {
      end = `${name} ${how}`
      if (!isStopping) resolve(new Error(end))
    }
    process.once('error', (error) => onEnd(`does not start: ${error.message}`))
    process.once('exit', (code, signal) => onEnd(`ended with ${signal ?? `exit code ${code}`}`))
  })

  const stop = async () => {
    isStopping = true
    if (process.pid === undefined) return null
    if (process.exitCode !== null || process.signalCode !== null) return process.exitCode
    const exit = once(process, 'exit')
    process.kill('SIGTERM')
    const timer = setTimeout(() => process.kill('SIGKILL'), TERM_TIMEOUT_MS)
    await exit
    clearTimeout(timer)
    return process.exitCode
  }
  const check = () => {
    if (end !== null) throw new Error(`${end}. The end of its output:\n${tail(output())}`)
  }
  return { name, pid: process.pid ?? -1, failed, check, output, stop }
}

export function tail(text: string): string {
  const lines = text.trimEnd().split('\n').slice(-TAIL_LINES)
  return lines.map((line) => `    ${line}`).join('\n')
}
