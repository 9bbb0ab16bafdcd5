import { setTimeout as delay } from 'node:timers/promises'
import { queryFailure } from '../database/query-failure.ts'
import { QsError } from '../errors/qs-error.ts'
import { logged } from '../errors/reason-of.ts'
import { isRaised, verdictOn } from '../sink/sqlstate.ts'
import type { Log } from '../telemetry/log.ts'

const [MIN_PAUSE_MS, MAX_PAUSE_MS] = [250, 3_000]

/**
 * Runs a step of the start until PostgreSQL answers: a database that is down, slow or locked delays the start and does
 * not end it. Logs the first failure, and later ones ever more rarely.
 *
 * @param signal ends the wait
 * @throws the error of a step that no later try can help: a refused login, a missing right
 */
export async function untilAvailable<T>(
  step: () => Promise<T>,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await step()
    } catch (thrown) {
      const error = queryFailure(thrown)
      const mayPass = verdictOn(error) === 'retry' || isRaised(error)
      const isFinal = error instanceof QsError ? !error.entry.retryable : !mayPass
      if (isFinal) throw error
      if ((failures & (failures + 1)) === 0) {
        log.warn(
          { failures: failures + 1, ...logged(error) },
          'PostgreSQL is not available yet; trying again',
        )
      }
      await delay(Math.min(MIN_PAUSE_MS * 2 ** failures, MAX_PAUSE_MS), undefined, { signal })
    }
  }
}
