import type { ReplayResult } from './replay-letter.ts'
import type { ReplayableLetter } from './take-letters.ts'

/** Letters in flight at once, since each waits for a commit. */
const WINDOW = 32

export interface ReplayingOptions {
  readonly replay: (letter: ReplayableLetter) => Promise<ReplayResult>
  /** Called once for each letter, in order of completion. */
  readonly onResult: (result: ReplayResult) => void
}

/**
 * Replays letters concurrently, starting them in order. Stops at the first unanswered one, since the next ones would be
 * unanswered too.
 */
export async function replayAll(
  pages: AsyncIterable<readonly ReplayableLetter[]>,
  { replay, onResult }: ReplayingOptions,
): Promise<void> {
  const underWay = new Set<Promise<void>>()
  let failure: unknown = null
  let isOver = false

  const start = (letter: ReplayableLetter): void => {
    const run = async () => {
      const result = await replay(letter)
      if (result.result === 'unanswered') isOver = true
      onResult(result)
    }
    const ended = run()
      .catch((error: unknown) => {
        failure ??= error
        isOver = true
      })
      .finally(() => underWay.delete(ended))
    underWay.add(ended)
  }

  for await (const page of pages) {
    for (const letter of page) {
      if (underWay.size === WINDOW) await Promise.race(underWay)
      if (isOver) break
      start(letter)
    }
    if (isOver) break
  }
  await Promise.all(underWay)
  if (failure !== null) throw failure
}
