import type { Message } from '../pipeline/message.ts'
import type { Copy, CopyRows } from './copy-rows.ts'
import type { EventRow } from './insert-events.ts'
import { SealedTimes } from './may-be-sealed.ts'
import { type ChangesByDevice, SeriesChanges } from './series-changes.ts'

/** Bounds a transaction of tiny events, or of bad elements that are all rejections. */
const MAX_ELEMENTS = 10_000
/** Segments are searched for each of these first: fresh messages behind them go with another writer meanwhile. */
const MAX_OLD = 1_000

/** The messages of one transaction. */
export interface Batch {
  readonly messages: readonly Message[]
  /** All events of the batch; null if they are to be inserted instead. */
  readonly copy: Copy | null
  /** The smallest event time, null without events. As decoded now: the time zone of a device may change later. */
  readonly earliestTs: string | null
  /** The events that are so old that they may be sealed already. */
  readonly old: readonly EventRow[]
  /** The changes of its series, provided that all of its events are stored. */
  readonly changes: ChangesByDevice
}

export const NO_MESSAGES: Batch = {
  messages: [],
  copy: null,
  earliestTs: null,
  old: [],
  changes: new Map(),
}

/**
 * Takes messages one by one, each decoded only then, until the batch is full. With `rows` their events are converted to
 * bytes at once and released, so that only the events of one message are in memory and not those of thousands.
 *
 * @param rows null if nothing is to be copied
 * @param now the current server time, which tells what may be sealed
 * @param maxOld fewer events that may be sealed than this
 */
export function gather(
  decoded: Iterable<Message>,
  rows: CopyRows | null,
  now: string,
  maxOld = MAX_OLD,
): Batch {
  rows?.clear()
  const messages: Message[] = []
  const changes = new SeriesChanges()
  let elements = 0
  let earliestTs: string | null = null
  const sealedTimes = new SealedTimes(now)
  const old: EventRow[] = []
  for (const message of decoded) {
    messages.push(message)
    for (const element of message.elements) {
      if (element.kind !== 'event') continue
      if (earliestTs === null || element.ts < earliestTs) earliestTs = element.ts
      if (sealedTimes.mayInclude(element)) old.push({ event: element, tsServer: message.tsServer })
      rows?.add(element, message.tsServer)
      changes.add(element, message.tsServer)
    }
    if (rows !== null) message.release()
    elements += message.size
    if (elements >= MAX_ELEMENTS || old.length >= maxOld) break
  }
  return { messages, copy: rows?.take() ?? null, earliestTs, old, changes: changes.byDevice }
}
