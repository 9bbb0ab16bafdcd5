import type { Ask } from '../database/query-pool.ts'
import { QsError } from '../errors/qs-error.ts'

/** One step of the walk through all series. */
export interface SealStep {
  readonly deviceId: string | null
  readonly eventType: string | null
  readonly events: number
  /** All series were looked at; the next step begins with the first. */
  readonly isEnd: boolean
  /** Why this series cannot be sealed; its rows stay. */
  readonly fault: string | null
}

/**
 * Events in one transaction: one segment, and some 25 ms on one core. Meanwhile batches with events that may be
 * sealed wait; others do not.
 */
const MOST_EVENTS = 1_000

const SQL = `
select device_id as "deviceId", event_type as "eventType", events, is_end as "isEnd", fault
from seal_next($1, ${MOST_EVENTS})`

/** Seals the oldest events of the next series that has events older than `afterMs`. */
export async function sealNext(ask: Ask, afterMs: number): Promise<SealStep> {
  const [step] = await ask.query<SealStep>(SQL, [`${afterMs} milliseconds`])
  if (step === undefined) throw new QsError('INTERNAL_ERROR', 'seal_next returned no row')
  return step
}
