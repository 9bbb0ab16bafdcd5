import type { Ask } from '../database/query-pool.ts'

/** Deletes in parts, to keep statements short. */
const PART = 20_000

const EVENTS = 'select removed::int, is_end as "isEnd" from remove_events($1, $2)'

const REST = [
  'select forget_numbers($1)',
  'delete from series where starts_with(device_id, $1)',
  'delete from dropped_series where starts_with(device_id, $1)',
  'delete from event_hours where starts_with(device_id, $1)',
  'delete from dead_letters where starts_with(device_id, $1)',
  'delete from dead_letters_counted where starts_with(device_id, $1)',
  'delete from alert_history where starts_with(device_id, $1)',
  'delete from alert_states where starts_with(device_id, $1)',
  'delete from pinned where starts_with(device_id, $1)',
  'delete from devices where starts_with(device_id, $1)',
]

/** Removes all data of devices whose id begins with `prefix`. @returns the number of events removed */
export async function removeDevices(ask: Ask, prefix: string): Promise<number> {
  let removed = 0
  for (let isEnd = false; !isEnd; ) {
    const [part] = await ask.query<{ removed: number; isEnd: boolean }>(EVENTS, [prefix, PART])
    removed += part?.removed ?? 0
    isEnd = part?.isEnd ?? true
  }
  for (const sql of REST) await ask.query(sql, [prefix])
  return removed
}
