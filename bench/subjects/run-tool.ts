import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { leash } from '@qs-telemetry/testing/leash.ts'

const MOST_MS = 20 * 60_000

/**
 * Runs a package manager and waits for it.
 *
 * @returns null, or the reason of its failure in one line
 */
export async function runTool(
  [program, ...args]: readonly [string, ...string[]],
  { directory, env = {} }: { directory: string; env?: NodeJS.ProcessEnv },
): Promise<string | null> {
  const child = spawn(program, args, {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: MOST_MS,
  })
  leash(child)
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000)
  })
  try {
    const [code, signal] = await once(child, 'close')
    if (code === 0) return null
    const last = said.trim().split('\n').slice(-2).join(' ').replace(/\s+/g, ' ')
    return `${program} ended with ${signal ?? `exit code ${code}`}: ${last}`
  } catch (error) {
    return `${program} does not start: ${(error as Error).message}`
  }
}
