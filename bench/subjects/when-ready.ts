import { until } from '@qs-telemetry/testing/until.ts'
import type { Child } from '../stack/child.ts'
import type { Running } from './subject.ts'

const READY_TIMEOUT_MS = 60_000

/**
 * Waits until all of them are ready; stops them all if one is not.
 *
 * @param startedMs `performance.now()` before the first was started
 */
export async function whenReady(
  children: readonly Child[],
  startedMs: number,
  { signal, isReady }: { signal: AbortSignal; isReady: (index: number) => Promise<boolean> | boolean },
): Promise<Running> {
  try {
    for (const [index, child] of children.entries()) {
      const check = () => {
        signal.throwIfAborted()
        child.check()
        return isReady(index)
      }
      await until(check, `${child.name} is ready`, READY_TIMEOUT_MS)
    }
    return { children, readySeconds: (performance.now() - startedMs) / 1000 }
  } catch (error) {
    for (const child of children) await child.stop()
    throw error
  }
}
