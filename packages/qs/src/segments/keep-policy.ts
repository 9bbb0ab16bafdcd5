import type { Config } from '../config/settings.ts'
import { openClient } from '../database/open-client.ts'

/** How long events, and numbers by the hour, are kept, and what stays free; null: as the database has it. */
export interface KeepPolicy {
  readonly eventsMs: number | 'forever' | null
  readonly hoursMs: number | 'forever' | null
  readonly freeBytes: number | 'off' | null
}

export function keepPolicy({ KEEP_EVENTS, KEEP_HOURS, KEEP_FREE }: Config): KeepPolicy {
  return { eventsMs: KEEP_EVENTS, hoursMs: KEEP_HOURS, freeBytes: KEEP_FREE }
}

/** An unset setting, as in a `qs migrate` by hand, changes nothing: a policy must not vanish with an environment. */
const WANTED = [
  `case $1::text when 'forever' then null else coalesce($1::text::interval, keep_events) end`,
  `case $2::text when 'forever' then null else coalesce($2::text::interval, keep_hours) end`,
  `case $3::text when 'off' then null else coalesce($3::text::bigint, keep_free) end`,
].join(', ')

const SQL = `
update retention set (keep_events, keep_hours, keep_free) = row(${WANTED})
where (keep_events, keep_hours, keep_free) is distinct from (${WANTED})`

const IS_ALLOWED = `
select has_table_privilege('retention', 'update') as allowed,
  (keep_events, keep_hours, keep_free) is not distinct from (${WANTED}) as same
from retention`

/**
 * Writes the settings where drop_expired reads them. Only the owner may: a role that cannot delete events cannot shorten
 * their time either.
 *
 * @returns false if the database keeps events for another time, and this role may not change that
 */
export async function applyKeepPolicy(
  url: string,
  { eventsMs, hoursMs, freeBytes }: KeepPolicy,
): Promise<boolean> {
  const times = [eventsMs, hoursMs].map((time) => (typeof time === 'number' ? `${time} milliseconds` : time))
  const values = [...times, freeBytes]
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
