import type { HistoryLine } from './read-alerts.ts'

/** A line of the history on its way to a channel. */
export interface Item extends HistoryLine {
  readonly value: number | null
  readonly urgent: boolean
}

/** One message with everything that has happened since the last one. */
export interface Digest {
  readonly title: string
  readonly text: string
  /** The worst of its items. */
  readonly change: Item['change']
  readonly urgent: boolean
  readonly items: readonly Item[]
}

const WORDS = { firing: 'Alert', reminder: 'Still', ended: 'Over', test: 'Test' } as const
const WORST = ['firing', 'reminder', 'ended', 'test'] as const
/** From this many of one rule on, a line names devices instead of saying the same for each. */
const [TOGETHER, NAMED] = [4, 10]

export function digestOf(items: readonly Item[]): Digest {
  const counts = WORST.map((change) => ({
    change,
    count: items.filter((each) => each.change === change).length,
  }))
  const some = counts.filter(({ count }) => count > 0)
  const [only] = items
  const title =
    items.length === 1 && only !== undefined
      ? `${WORDS[only.change]}: ${only.rule === '' ? 'qs-telemetry' : only.rule}`
      : some.map(({ change, count }) => `${WORDS[change]}: ${count}`).join(', ')
  return {
    title,
    text: linesOf(items).join('\n'),
    change: some[0]?.change ?? 'test',
    urgent: items.some((each) => each.urgent && each.change === 'firing'),
    items,
  }
}

function linesOf(items: readonly Item[]): readonly string[] {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = `${item.change} ${item.rule}`
    groups.set(key, [...(groups.get(key) ?? []), item])
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    if (group.length < TOGETHER) return group.map(({ change, message }) => `${WORDS[change]}: ${message}`)
    const names = [...new Set(group.map(({ deviceId, eventType }) => deviceId || eventType))]
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : ''
    return [
      `${WORDS[first.change]}: ${first.rule}, ${group.length} at once: ${names.slice(0, NAMED).join(', ')}${more}`,
    ]
  })
}
