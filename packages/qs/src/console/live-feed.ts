import type { LiveBatch, LiveElement, LiveMessage } from '@qs-telemetry/protocol/api'
import type { BatchResult, Element, Message, Outcome } from '../pipeline/message.ts'

/** Limits of a listener's queue; messages beyond them are counted. A message of 20 elements takes up to 30 KB. */
const [MAX_WAITING, MAX_WAITING_CHARACTERS] = [200, 256 * 1024]
const [MAX_ELEMENTS, MAX_PAYLOAD_BYTES, MAX_TEXT] = [20, 2_048, 200]

export interface LiveFilter {
  readonly devices?: ReadonlySet<string>
  readonly onlyRejected?: boolean
}

export interface LiveListener {
  /** Messages since the last call, and the number dropped because the queue was full. */
  take(): LiveBatch
  close(): void
}

interface Waiting {
  readonly filter: LiveFilter
  messages: LiveMessage[]
  characters: number
  dropped: number
}

/**
 * Messages with their outcomes, for the Live page. It is called after each COMMIT and must cost the pipeline next to
 * nothing: without listeners it is one comparison, and for each listener at most MAX_WAITING messages are queued until
 * taken. The rest are counted, and the listener gets their number.
 */
export class LiveFeed {
  readonly #listeners = new Set<Waiting>()
  readonly #onWatched: (isWatched: boolean) => void

  /** @param onWatched called when the first listener opens and when the last one closes */
  constructor(onWatched: (isWatched: boolean) => void = () => {}) {
    this.#onWatched = onWatched
  }

  listen(filter: LiveFilter): LiveListener {
    const waiting: Waiting = { filter, messages: [], characters: 0, dropped: 0 }
    this.#listeners.add(waiting)
    if (this.#listeners.size === 1) this.#onWatched(true)
    return {
      take: () => {
        const { messages, dropped } = waiting
        waiting.messages = []
        waiting.characters = 0
        waiting.dropped = 0
        return { messages, dropped }
      },
      close: () => {
        this.#listeners.delete(waiting)
        if (this.#listeners.size === 0) this.#onWatched(false)
      },
    }
  }

  committed(batch: readonly Message[], result: BatchResult): void {
    if (this.#listeners.size === 0) return
    for (const [index, message] of batch.entries()) {
      const outcomes = result[index] ?? []
      let told: LiveMessage | null = null
      for (const waiting of this.#listeners) {
        if (!isWanted(waiting.filter, message, outcomes)) continue
        if (waiting.messages.length === MAX_WAITING || waiting.characters > MAX_WAITING_CHARACTERS)
          waiting.dropped++
        else {
          told ??= tell(message, outcomes)
          waiting.messages.push(told)
          waiting.characters += charactersOf(told)
        }
      }
    }
  }
}

/** Estimated size as JSON. */
function charactersOf({ elements, payload }: LiveMessage): number {
  const texts = elements.map(
    ({ eventId, value, message }) =>
      (eventId?.length ?? 0) + (message?.length ?? 0) + (typeof value === 'string' ? value.length : 8),
  )
  return texts.reduce((sum, characters) => sum + characters + 150, (payload?.length ?? 0) + 300)
}

function isWanted(filter: LiveFilter, { deviceId }: Message, outcomes: readonly Outcome[]): boolean {
  if (filter.devices !== undefined && (deviceId === null || !filter.devices.has(deviceId))) return false
  return !filter.onlyRejected || outcomes.some(({ kind }) => kind === 'rejection')
}

function tell(
  { delivery, deviceId, elements, tsServer }: Message,
  outcomes: readonly Outcome[],
): LiveMessage {
  const { payload, topic, redelivered } = delivery
  const isRejected = outcomes.some(({ kind }) => kind === 'rejection')
  return {
    tsServer,
    topic: topic.slice(0, MAX_TEXT),
    deviceId,
    bytes: payload.length,
    redelivered,
    elements: elements
      .slice(0, MAX_ELEMENTS)
      .flatMap((element, index) => tellElement(element, outcomes[index])),
    more: Math.max(0, elements.length - MAX_ELEMENTS),
    payload: isRejected ? payload.subarray(0, MAX_PAYLOAD_BYTES).toString() : null,
  }
}

function tellElement(element: Element, outcome: Outcome | undefined): readonly LiveElement[] {
  if (outcome === undefined) return []
  const rejection = outcome.kind === 'rejection' ? outcome : null
  const end = {
    outcome: outcome.kind === 'rejection' ? ('rejected' as const) : outcome.kind,
    code: rejection?.code ?? null,
    message: rejection?.message.slice(0, 500) ?? null,
  }
  if (element.kind === 'rejection')
    return [{ eventId: element.eventId, eventType: null, value: null, unit: null, ts: null, ...end }]
  const { eventId, eventType, valueNum, valueText, unit, ts, warning } = element
  const value = valueNum ?? valueText?.slice(0, MAX_TEXT) ?? null
  const odd = rejection === null && warning !== null ? { code: warning.code, message: warning.message } : {}
  return [{ eventId, eventType, value, unit, ts, ...end, ...odd }]
}
