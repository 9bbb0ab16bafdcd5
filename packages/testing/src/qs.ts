import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { leash } from './leash.ts'
import { until } from './until.ts'

const MAIN = fileURLToPath(new URL('../../qs/bin/qs.js', import.meta.url))

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
}

export interface Qs {
  readonly process: ChildProcess
  readonly pid: number
  stdout(): string
  stderr(): string
  /** Resolves with the exit code, or the signal that ended it. */
  exit(): Promise<number | NodeJS.Signals | null>
}

/** None of the caller's settings; only what a program needs to run. */
const CLEAN = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', LOG_LEVEL: 'info' }

/** Starts the built command like a user (`npm test` builds first); ended with the test. */
export function startQs(t: TestContext, args: readonly string[], options: RunOptions = {}): Qs {
  const child = spawn(MAIN, args, {
    cwd: options.cwd,
    env: { ...CLEAN, ...options.env },
    stdio: 'pipe',
  })
  leash(child)
  const [out, err]: [string[], string[]] = [[], []]
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk.toString()))
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input ?? '')
  const ended = once(child, 'close')
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
  })
  return {
    process: child,
    pid: child.pid as number,
    stdout: () => out.join(''),
    stderr: () => err.join(''),
    exit: async () => {
      await ended
      return child.signalCode ?? child.exitCode
    },
  }
}

/** Runs the command to its end. */
export async function runQs(t: TestContext, args: readonly string[], options: RunOptions = {}) {
  const qs = startQs(t, args, options)
  const code = await qs.exit()
  return { code, stdout: qs.stdout(), stderr: qs.stderr() }
}

/** Resolves when /readyz on this port succeeds; fails with the output if the process ends instead. */
export async function untilReady(qs: Qs, httpPort: number): Promise<void> {
  await until(
    async () => {
      if (qs.process.exitCode !== null)
        throw new Error(`qs ended with ${qs.process.exitCode}:\n${qs.stderr()}`)
      const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`).catch(() => null)
      return answer?.ok
    },
    'qs is ready',
    120_000,
  )
}
