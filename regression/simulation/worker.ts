import { runSeed } from './run-seed.ts'

/*
 * Runs the seeds that its parent sends, one at a time, and answers with the result. A seed that broke a promise, and
 * one in a hundred others, is run twice: both runs must be the same.
 */

const SAMPLE = 100

// Faults are thousands of errors whose stacks are never read.
Error.stackTraceLimit = 0

process.on('message', async (seed: number) => {
  const result = await runSeed(seed)
  const isFailed = result.violations.length > 0
  if (isFailed || seed % SAMPLE === 0) {
    const again = await runSeed(seed)
    if (again.digest !== result.digest) {
      const reason = `it does not reproduce: ${result.digest}, then ${again.digest}`
      process.send?.({ ...result, violations: [reason, ...result.violations] })
      return
    }
  }
  process.send?.(result)
})
process.send?.('ready')
