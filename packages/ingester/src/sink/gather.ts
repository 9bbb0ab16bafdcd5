import type { Message } from '../pipeline/message.ts'
import type { Copy, CopyRows } from './copy-rows.ts'

/** What goes into one transaction. */
export interface Batch {
  readonly messages: readonly Message[]
  /** All of its events; null where they are better inserted. */
  readonly copy: Copy | null
  /** The smallest event time, null where there is no event. */
  readonly earliestTs: string | null
}

export const NO_MESSAGES: Batch = { messages: [], copy: null, earliestTs: null }

/**
 * Takes messages one after the other, each decoded when its turn comes. With `rows` their events become bytes at once
 * and the messages let go of them, so that the events of one message are there at a time and not those of thousands.
 *
 * @param rows null: nothing is copied
 */
export function gather(decoded: Iterable<Message>, rows: CopyRows | null): Batch {
  const messages: Message[] = []
  let earliestTs: string | null = null
  for (const message of decoded) {
    messages.push(message)
    for (const element of message.elements) {
      if (element.kind !== 'event') continue
      if (earliestTs === null || element.ts < earliestTs) earliestTs = element.ts
      rows?.add(element, message.tsServer)
    }
    if (rows !== null) message.release()
  }
  return { messages, copy: rows?.take() ?? null, earliestTs }
}
