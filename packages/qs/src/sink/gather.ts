import type { Message } from '../pipeline/message.ts'
import type { Copy, CopyRows } from './copy-rows.ts'
import { type ChangesByDevice, SeriesChanges } from './series-changes.ts'

/** Tiny events, or scraps of which each is a rejection: beyond it the rest is for another transaction. */
const MAX_ELEMENTS = 10_000

/** What goes into one transaction. */
export interface Batch {
  readonly messages: readonly Message[]
  /** All of its events; null where they are better inserted. */
  readonly copy: Copy | null
  /** The smallest event time, null where there is no event. As decoded now: a device's time zone may be another later. */
  readonly earliestTs: string | null
  /** What it changes in the rows of its series where all of its events are stored. */
  readonly changes: ChangesByDevice
}

export const NO_MESSAGES: Batch = { messages: [], copy: null, earliestTs: null, changes: new Map() }

/**
 * Takes messages one after the other, each decoded when its turn comes, until it has enough. With `rows` their events become bytes at once
 * and the messages let go of them, so that the events of one message are there at a time and not those of thousands.
 *
 * @param rows null: nothing is copied
 */
export function gather(decoded: Iterable<Message>, rows: CopyRows | null): Batch {
  rows?.clear()
  const messages: Message[] = []
  const changes = new SeriesChanges()
  let elements = 0
  let earliestTs: string | null = null
  for (const message of decoded) {
    messages.push(message)
    for (const element of message.elements) {
      if (element.kind !== 'event') continue
      if (earliestTs === null || element.ts < earliestTs) earliestTs = element.ts
      rows?.add(element, message.tsServer)
      changes.add(element, message.tsServer)
    }
    if (rows !== null) message.release()
    elements += message.size
    if (elements >= MAX_ELEMENTS) break
  }
  return { messages, copy: rows?.take() ?? null, earliestTs, changes: changes.byDevice }
}
