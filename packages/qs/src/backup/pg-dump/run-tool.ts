import { type ChildProcess, spawn } from 'node:child_process'
import { basename } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { readVariable } from '../../config/environment.ts'
import { QsError } from '../../errors/qs-error.ts'

export interface ToolOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface RunningTool {
  readonly stdin: Writable
  readonly stdout: Readable
  /** @throws Error with the program's messages, if it failed */
  ended(): Promise<void>
}

/** Enough of the messages of a program that complains about every row. */
const STDERR_BYTES = 8_000

/** Starts a PostgreSQL program; `signal` ends it. */
export function startTool(path: string, args: readonly string[], options: ToolOptions): RunningTool {
  const child: ChildProcess = spawn(path, args, {
    // English messages, since they are parsed here.
    env: { PATH: readVariable('PATH') ?? '', LC_ALL: 'C.UTF-8', ...options.environment },
    stdio: 'pipe',
    signal: options.signal,
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-STDERR_BYTES)
  })
  // A program that ends early reports why on stderr; the broken pipe adds nothing.
  child.stdin?.on('error', () => {})
  const result = new Promise<Error | null>((resolve) => {
    child.once('error', resolve)
    child.once('close', (code, signal) => {
      const reason = said.trim() || `ended with ${signal ?? code}`
      resolve(code === 0 ? null : new QsError('BACKUP_FAILED', `${basename(path)}: ${reason}`))
    })
  })
  return {
    stdin: child.stdin as Writable,
    stdout: child.stdout ?? Readable.from([]),
    ended: async () => {
      const error = await result
      // A program that finished before the signal has done its work.
      if (error === null) return
      options.signal.throwIfAborted()
      throw error
    },
  }
}

/** Runs a program to its end. @returns its output as text */
export async function runTool(path: string, args: readonly string[], options: ToolOptions): Promise<string> {
  const tool = startTool(path, args, options)
  tool.stdin.end()
  const chunks: Buffer[] = []
  tool.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  await tool.ended()
  return Buffer.concat(chunks).toString()
}
