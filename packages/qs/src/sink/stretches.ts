import type { Message } from '../pipeline/message.ts'

/** Times further apart than this form separate stretches: a replayed dead letter keeps its time of weeks ago. */
const GAP_MS = 60_000

/** The stretches of server time in which these messages arrived, as two columns. Nearly always there is one. */
export function stretches(
  messages: readonly Message[],
): readonly [firsts: readonly string[], lasts: readonly string[]] {
  let [first, last] = [messages[0]?.tsServer ?? '', '']
  for (const { tsServer } of messages) {
    if (tsServer < first) first = tsServer
    if (tsServer > last) last = tsServer
  }
  // Neither sorts nor parses thousands of times. The microseconds do not matter for the gap.
  if (Date.parse(last) - Date.parse(first) <= GAP_MS) return [[first], [last]]
  const [firsts, lasts]: [string[], string[]] = [[], []]
  let endMs = -Infinity
  for (const time of messages.map(({ tsServer }) => tsServer).sort()) {
    const ms = Date.parse(time)
    if (ms - endMs > GAP_MS) firsts.push(time)
    lasts[firsts.length - 1] = time
    endMs = ms
  }
  return [firsts, lasts]
}
