/** Most letters that may be wrong, missing or extra: `qs/kitchen/events` lacks three of `qs/v1/kitchen/events`. */
const MAX_WRONG = 3
/** Longer topics are skipped: the work grows with the length. */
const MAX_LENGTH = 256

/**
 * The topic that a misspelt one was probably meant to be: prefix and suffix are corrected, the device id stays as it
 * is. Null if the topic resembles none.
 */
export function likelyTopic(topic: string, prefix: string, suffix: string): string | null {
  if (topic.length > MAX_LENGTH) return null
  const lower = topic.toLowerCase()
  const before = distances(lower, prefix.toLowerCase())
  const behind = distances(reversed(lower), reversed(suffix.toLowerCase())).reverse()
  let best: { readonly wrong: number; readonly deviceId: string } | null = null
  for (let start = 0; start < topic.length; start++) {
    for (let end = start + 1; end <= topic.length && topic[end - 1] !== '/'; end++) {
      const wrong = (before[start] as number) + (behind[end] as number)
      const deviceId = topic.slice(start, end)
      // In qs/v1/events the 1 is not a device.
      if (wrong > MAX_WRONG || wrong >= deviceId.length || (best !== null && wrong > best.wrong)) continue
      if (best === null || wrong < best.wrong || deviceId.length > best.deviceId.length)
        best = { wrong, deviceId }
    }
  }
  return best === null ? null : prefix + best.deviceId + suffix
}

/** Levenshtein distance of `wanted` to each prefix of `text`, the empty one first. */
function distances(text: string, wanted: string): number[] {
  const last: number[] = []
  let column = Array.from({ length: wanted.length + 1 }, (_, index) => index)
  last.push(column.at(-1) as number)
  for (let at = 0; at < text.length; at++) {
    const next = [at + 1]
    for (let index = 1; index <= wanted.length; index++) {
      const replaced = (column[index - 1] as number) + (text[at] === wanted[index - 1] ? 0 : 1)
      next.push(Math.min(replaced, (column[index] as number) + 1, (next[index - 1] as number) + 1))
    }
    column = next
    last.push(column.at(-1) as number)
  }
  return last
}

function reversed(text: string): string {
  return text.split('').reverse().join('')
}
