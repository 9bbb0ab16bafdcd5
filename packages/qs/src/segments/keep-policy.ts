import type { Config } from '../config/settings.ts'
import { openClient } from '../database/open-client.ts'

/** How long events, and numbers by the hour, are kept; null: as the database has it. */
export interface KeepPolicy {
  readonly eventsMs: number | 'forever' | null
  readonly hoursMs: number | 'forever' | null
}

export function keepPolicy({ KEEP_EVENTS, KEEP_HOURS }: Config): KeepPolicy {
  return { eventsMs: KEEP_EVENTS, hoursMs: KEEP_HOURS }
}

/** An unset setting, as in a `qs migrate` by hand, changes nothing: a policy must not vanish with an environment. */
const WANTED = (['events', 'hours'] as const)
  .map(
    (what, n) =>
      `case $${n + 1}::text when 'forever' then null else coalesce($${n + 1}::text::interval, keep_${what}) end`,
  )
  .join(', ')

const SQL = `
update retention set (keep_events, keep_hours) = row(${WANTED})
where (keep_events, keep_hours) is distinct from (${WANTED})`

const IS_ALLOWED = `
select has_table_privilege('retention', 'update') as allowed,
  (keep_events, keep_hours) is not distinct from (${WANTED}) as same
from retention`

/**
 * Writes the settings where drop_expired reads them. Only the owner may: a role that cannot delete events cannot shorten
 * their time either.
 *
 * @returns false if the database keeps events for another time, and this role may not change that
 */
export async function applyKeepPolicy(url: string, { eventsMs, hoursMs }: KeepPolicy): Promise<boolean> {
  const values = [eventsMs, hoursMs].map((time) => (typeof time === 'number' ? `${time} milliseconds` : time))
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
