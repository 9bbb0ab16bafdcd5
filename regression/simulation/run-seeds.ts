import { type ChildProcess, fork } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { buildWorker } from './build-worker.ts'
import type { Mutant } from './mutants.ts'
import type { SeedResult } from './run-seed.ts'

export interface SeedsOptions {
  readonly from: number
  readonly count: number
  readonly workers: number
  readonly mutant?: Mutant
  readonly onResult?: (result: SeedResult) => void
}

/**
 * Runs seeds in worker processes until one breaks a promise or all are done.
 *
 * @returns the first result with a broken promise, or null
 * @throws Error if a process ends without a result
 */
export async function runSeeds(options: SeedsOptions): Promise<SeedResult | null> {
  const { from, count, workers, mutant, onResult } = options
  const worker = await buildWorker(mutant)
  const processes: ChildProcess[] = []
  let [next, failed]: [number, SeedResult | null] = [from, null]
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(worker, { execArgv: [] })
      processes.push(child)
      const give = () => {
        if (next < from + count && failed === null) child.send(next++)
        else child.disconnect()
      }
      child.on('message', (message: 'ready' | SeedResult) => {
        if (message !== 'ready') {
          if (message.violations.length > 0) failed ??= message
          onResult?.(message)
        }
        give()
      })
      child.on('error', reject)
      child.on('exit', (code, signal) => {
        if (code === 0) resolve()
        else reject(new Error(`A worker ended with ${signal ?? `exit code ${code}`}; see its output above`))
      })
    })
  try {
    await Promise.all(Array.from({ length: workers }, work))
  } finally {
    for (const child of processes) child.kill()
    rmSync(dirname(worker), { recursive: true, force: true })
  }
  return failed
}
