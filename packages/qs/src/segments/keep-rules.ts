import type { Ask } from '../database/query-pool.ts'

/** How long the events of some series are kept. */
export interface KeepRule {
  /** Ids of devices, and event types: `*` for any characters, `?` for one. */
  readonly devices: string
  readonly types: string
  /** Days; null: for ever. */
  readonly days: number | null
}

/** What deleting would take of one series now. */
export interface Expired {
  readonly deviceId: string
  readonly eventType: string
  readonly events: number
  readonly segments: number
  /** The oldest of them, and the time before which events go. */
  readonly since: string
  readonly before: string
}

const DAYS = (column: string) => `extract(epoch from ${column})::float8 / 86400`

const DEFAULT = `select ${DAYS('keep_events')} as events, ${DAYS('keep_hours')} as hours from retention`

/** In days; null: for ever. */
export interface KeepDefaults {
  readonly events: number | null
  readonly hours: number | null
}

export async function keepDefaults(ask: Ask): Promise<KeepDefaults> {
  const [found] = await ask.query<KeepDefaults>(DEFAULT)
  return found ?? { events: null, hours: null }
}

export function keepRules(ask: Ask): Promise<readonly KeepRule[]> {
  return ask.query<KeepRule>(
    `select devices, types, ${DAYS('keep')} as days from retention_exceptions order by devices, types`,
  )
}

export async function setKeepRule(ask: Ask, { devices, types, days }: KeepRule): Promise<void> {
  await ask.query(
    `insert into retention_exceptions (devices, types, keep) values ($1, $2, $3 * interval '1 day')
    on conflict (devices, types) do update set keep = excluded.keep`,
    [devices, types, days],
  )
}

/** @returns whether there was one */
export async function removeKeepRule(
  ask: Ask,
  { devices, types }: Pick<KeepRule, 'devices' | 'types'>,
): Promise<boolean> {
  const removed = await ask.query(
    'delete from retention_exceptions where devices = $1 and types = $2 returning true',
    [devices, types],
  )
  return removed.length > 0
}

/** What deleting would take of the series that match. */
export function expiredEvents(
  ask: Ask,
  { devices, types }: Pick<KeepRule, 'devices' | 'types'> = { devices: '*', types: '*' },
): Promise<readonly Expired[]> {
  return ask.query<Expired>(
    `select device_id as "deviceId", event_type as "eventType", events::float8, segments::float8,
      to_char(since at time zone 'UTC', 'YYYY-MM-DD') as since, to_char(before at time zone 'UTC', 'YYYY-MM-DD') as before
    from expired_events() where device_id like like_glob($1) and event_type like like_glob($2)`,
    [devices, types],
  )
}

export interface Matching {
  readonly series: number
  /** That they have sent, also those that are deleted. */
  readonly events: number
}

export async function matchingSeries(
  ask: Ask,
  { devices, types }: Pick<KeepRule, 'devices' | 'types'>,
): Promise<Matching> {
  const [found] = await ask.query<Matching>(
    `select count(*)::float8 as series, coalesce(sum(events), 0)::float8 as events from series
    where device_id like like_glob($1) and event_type like like_glob($2)`,
    [devices, types],
  )
  return found ?? { series: 0, events: 0 }
}
