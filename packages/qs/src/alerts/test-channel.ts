import type { Ask } from '../database/query-pool.ts'
import { QsError } from '../errors/qs-error.ts'

const SEND = `
with said as (
  insert into alert_history (at, rule, device_id, event_type, change, message)
  values (clock_timestamp(), '', '', '', 'test', $2) returning history_id, at)
insert into alert_outbox (channel, history_id, urgent, created_at)
select $1, history_id, true, at from said returning outbox_id::text as id`

const OUTCOME = `
select o.sent_at is not null as "isSent", case when c.attempts > $2 then c.error end as error
from alert_outbox o join alert_channels c on c.name = o.channel where outbox_id = $1`

export type TestOutcome =
  | { readonly kind: 'sent' }
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'waiting' }

export interface StartedTest {
  readonly id: string
  /** Failures in a row before it. */
  readonly attempts: number
}

/** Writes a test message for the ingester to send. */
export async function startTest(ask: Ask, channel: string): Promise<StartedTest> {
  const [found] = await ask.query<{ attempts: number }>(
    'select attempts from alert_channels where name = $1',
    [channel],
  )
  if (found === undefined) throw new QsError('WRONG_ALERT', `There is no channel ${channel}`)
  const [row] = await ask.query<{ id: string }>(SEND, [
    channel,
    'This is a test of qs-telemetry: alerts arrive here',
  ])
  if (row === undefined) throw new QsError('INTERNAL_ERROR', 'The test message was not written')
  return { id: row.id, attempts: found.attempts }
}

export async function testOutcome(ask: Ask, { id, attempts }: StartedTest): Promise<TestOutcome> {
  const [row] = await ask.query<{ isSent: boolean; error: string | null }>(OUTCOME, [id, attempts])
  if (row?.isSent) return { kind: 'sent' }
  return row?.error ? { kind: 'failed', error: row.error } : { kind: 'waiting' }
}
