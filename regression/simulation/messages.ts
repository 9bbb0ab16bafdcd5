import type { Random } from './random.ts'
import type { Item } from './workload.ts'

/** The content of one PUBLISH. */
export interface Message {
  readonly items: readonly Item[]
  readonly payload: Buffer
}

/** Packs what is due into messages: single events and arrays of at most `maxArray`. */
export function packMessages(random: Random, due: readonly Item[], maxArray: number): readonly Message[] {
  const left = [...due]
  const messages: Message[] = []
  while (left.length > 0) {
    const alone = left.findIndex((item) => !item.isElement)
    if (alone >= 0) messages.push(pack(random, left.splice(alone, 1), false))
    else {
      const items = left.splice(0, random.between(1, maxArray))
      // An array without any event or id is one dead letter; workload.ts makes such arrays as one item.
      const isArray = items.length === 1 || items.some(({ ackId }) => ackId !== null)
      if (isArray) messages.push(pack(random, items, true))
      else for (const item of items) messages.push(pack(random, [item], false))
    }
  }
  return messages
}

function pack(random: Random, items: readonly Item[], mayBeArray: boolean): Message {
  const payloads = items.map(({ payload }) => payload)
  const isArray = items.length > 1 || (mayBeArray && random.chance(0.2))
  const text = isArray
    ? `[${payloads.join(random.pick([',', ' , ']))}${random.chance(0.1) ? ',' : ''}]`
    : payloads.join('')
  return { items, payload: Buffer.from(text) }
}
