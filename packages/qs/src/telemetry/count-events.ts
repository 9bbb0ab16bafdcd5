import type { BatchResult, Message } from '../pipeline/message.ts'
import type { Metrics } from './metrics.ts'

/** Counts a message after decode. */
export function countReceived(metrics: Metrics, { elements }: Message): void {
  metrics.messagesReceived.inc()
  metrics.eventsReceived.inc(elements.length)
  metrics.eventsInFlight.inc(elements.length)
  for (const element of elements) {
    if (element.kind === 'event' && element.tsDeviceRaw !== null) metrics.deviceTimeUnreadable.inc()
  }
}

/** Counts the outcomes of a batch after COMMIT. */
export function countOutcomes(metrics: Metrics, result: BatchResult): void {
  const counts = { stored: 0, duplicate: 0, rejected: 0 }
  for (const outcomes of result) {
    for (const outcome of outcomes) {
      if (outcome.kind !== 'rejection') counts[outcome.kind]++
      else {
        counts.rejected++
        metrics.deadLetters.inc({ code: outcome.code })
        if (outcome.onlyCounted) metrics.deadLettersCounted.inc({ code: outcome.code })
      }
    }
  }
  const events = counts.stored + counts.duplicate + counts.rejected
  for (const [outcome, count] of Object.entries(counts)) metrics.events.inc({ outcome }, count)
  metrics.eventsInFlight.dec(events)
  metrics.batchEvents.observe(events)
}
