import { momentText } from '../database/moment-text.ts'
import type { Ask } from '../database/query-pool.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { oneLine } from '../telemetry/visible.ts'
import { type ChannelKind, type ChannelSettings, secretsOf } from './channel-kinds.ts'
import { digestOf, type Item } from './digest.ts'
import type { Send } from './send/sender.ts'

/** What happens within this time is one message: devices of a room that lost its power go silent one after the other. */
export const TOGETHER_SECONDS = 20
const TIMEOUT_MS = 15_000
/** Longer than a try may take. If its ingester dies meanwhile, the channel is tried again after this time. */
const CLAIM_SECONDS = 60
const REFRESH_SECONDS = 600
const MAX_PAUSE_SECONDS = 600
const MAX_ITEMS = 1_000

/**
 * Claims a channel: of several ingesters one gets the row. The state at a broker is fresh at once, and made anew now and then: a broker
 * may have lost it. A test waits for nothing: neither for quiet hours, nor for others, nor,
 * once, for the pause after failures.
 */
const CLAIM = `
update alert_channels c set next_at = $1::timestamptz + interval '${CLAIM_SECONDS} seconds', tried_at = $1
where name <> all($2) and (kind = 'mqtt' and c.next_at <= $1 and coalesce(c.sent_at < $1::timestamptz - interval '${REFRESH_SECONDS} seconds', true) or exists (
  select from alert_outbox o join alert_history h using (history_id)
  where o.channel = c.name and o.sent_at is null and case
    when h.change = 'test' then c.next_at <= $1 or c.attempts > 0 and o.created_at > c.tried_at
    when c.kind = 'mqtt' then c.next_at <= $1
    else c.next_at <= $1 and o.created_at <= $1::timestamptz - interval '${TOGETHER_SECONDS} seconds'
      and (o.urgent or not alert_is_quiet(c.quiet_from, c.quiet_to, c.quiet_zone, $1)) end))
returning name, kind, settings, attempts`

const ITEMS = `
select o.outbox_id::text as "outboxId", h.history_id::text as id, ${momentText('h.at')} as at, h.rule, h.device_id as "deviceId",
  h.event_type as "eventType", h.change, h.message, h.value, o.urgent
from alert_outbox o join alert_history h using (history_id) join alert_channels c on c.name = o.channel
where o.channel = $2 and o.sent_at is null
  and (h.change = 'test' or o.urgent or c.kind = 'mqtt' or not alert_is_quiet(c.quiet_from, c.quiet_to, c.quiet_zone, $1))
order by o.outbox_id limit ${MAX_ITEMS}`

const SENT = `
with sent as (update alert_outbox set sent_at = $2 where outbox_id = any($3::bigint[]))
update alert_channels set (attempts, next_at, failing_since, error, sent_at) = row(0, $2::timestamptz, null, null, $2::timestamptz)
where name = $1`

const FAILED = `
update alert_channels set attempts = attempts + 1, next_at = $2::timestamptz + $3 * interval '1 second',
  failing_since = coalesce(failing_since, $2), error = $4
where name = $1`

export interface DueChannel {
  readonly name: string
  readonly kind: ChannelKind
  readonly settings: ChannelSettings
  readonly attempts: number
}

export interface Outcome {
  readonly items: number
  /** null: it was sent. */
  readonly error: string | null
}

/** @param busy names of channels that this process is telling something */
export function claimDue(ask: Ask, now: Date, busy: readonly string[]): Promise<readonly DueChannel[]> {
  return ask.query<DueChannel>(CLAIM, [now, busy])
}

export interface Delivery {
  readonly senders: Readonly<Record<ChannelKind, Send>>
  readonly now: () => Date
  readonly signal: AbortSignal
}

/** Sends one message with all that waits for a claimed channel. At least once: who dies between both commits sends it again. */
export async function deliver(
  ask: Ask,
  channel: DueChannel,
  { senders, now, signal }: Delivery,
): Promise<Outcome> {
  const { name, kind, settings, attempts } = channel
  const items = await ask.query<Item & { readonly outboxId: string }>(ITEMS, [now(), name])
  try {
    const digest = digestOf(items.map(({ outboxId: _, ...item }) => item))
    await senders[kind](settings, digest, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]))
    await ask.query(SENT, [name, now(), items.map(({ outboxId }) => outboxId)])
    return { items: items.length, error: null }
  } catch (error) {
    const text = withoutSecrets(oneLine(reasonOf(error)), secretsOf(kind, settings))
    await ask.query(FAILED, [name, now(), Math.min(MAX_PAUSE_SECONDS, 5 * 2 ** attempts), text])
    return { items: items.length, error: text }
  }
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((all, secret) => all.replaceAll(secret, '•••'), text)
}
