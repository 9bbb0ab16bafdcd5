import type { Config } from '../config/settings.ts'
import { openClient } from '../database/open-client.ts'

/** How long events, and numbers by the hour, are kept; null: for ever. */
export interface KeepPolicy {
  readonly eventsMs: number | null
  readonly hoursMs: number | null
}

export function keepPolicy({ KEEP_EVENTS, KEEP_HOURS }: Config): KeepPolicy {
  return { eventsMs: KEEP_EVENTS, hoursMs: KEEP_HOURS }
}

const SQL = `
update retention set keep_events = $1::interval, keep_hours = $2::interval
where (keep_events, keep_hours) is distinct from ($1::interval, $2::interval)`

const IS_ALLOWED = `
select has_table_privilege('retention', 'update') as allowed,
  (keep_events, keep_hours) is not distinct from ($1::interval, $2::interval) as same
from retention`

/**
 * Writes the settings where drop_expired reads them. Only the owner may: a role that cannot delete events cannot shorten
 * their time either.
 *
 * @returns false if the database keeps events for another time, and this role may not change that
 */
export async function applyKeepPolicy(url: string, { eventsMs, hoursMs }: KeepPolicy): Promise<boolean> {
  const values = [eventsMs, hoursMs].map((ms) => (ms === null ? null : `${ms} milliseconds`))
  const client = await openClient(url, { name: 'qs-migrate', connectTimeoutMs: 10_000 })
  try {
    const { rows } = await client.query<{ allowed: boolean; same: boolean }>(IS_ALLOWED, values)
    const [found] = rows
    if (found?.same === true || found?.allowed !== true) return found?.same === true
    await client.query(SQL, values)
    return true
  } finally {
    await client.end()
  }
}
