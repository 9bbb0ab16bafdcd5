import { type ChildProcess, spawn } from 'node:child_process'
import { basename } from 'node:path'
import { Readable, type Writable } from 'node:stream'

export interface ToolOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface RunningTool {
  readonly stdin: Writable
  readonly stdout: Readable
  /** @throws Error with what the program said, where it did not end well */
  ended(): Promise<void>
}

/** What a person needs to read of a program that complains about every row. */
const STDERR_BYTES = 8_000

/** Starts a program of PostgreSQL, ended with `signal`. */
export function startTool(path: string, args: readonly string[], options: ToolOptions): RunningTool {
  const child: ChildProcess = spawn(path, args, {
    // Its messages are read by us too.
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', ...options.environment },
    stdio: 'pipe',
    signal: options.signal,
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-STDERR_BYTES)
  })
  // One that ended early says why on stderr; the pipe that broke says nothing more.
  child.stdin?.on('error', () => {})
  const result = new Promise<Error | null>((resolve) => {
    child.once('error', resolve)
    child.once('close', (code, signal) => {
      const reason = said.trim() || `ended with ${signal ?? code}`
      resolve(code === 0 ? null : new Error(`${basename(path)}: ${reason}`))
    })
  })
  return {
    stdin: child.stdin as Writable,
    stdout: child.stdout ?? Readable.from([]),
    ended: async () => {
      const error = await result
      // One that was through before the signal came has done its work.
      if (error === null) return
      options.signal.throwIfAborted()
      throw error
    },
  }
}

/** Runs one to its end; its output as text. */
export async function runTool(path: string, args: readonly string[], options: ToolOptions): Promise<string> {
  const tool = startTool(path, args, options)
  tool.stdin.end()
  const chunks: Buffer[] = []
  tool.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  await tool.ended()
  return Buffer.concat(chunks).toString()
}
