import type { Ask } from '../database/query-pool.ts'

/** Deletes in parts, to keep statements short. */
const PART = 20_000

const EVENTS = `
delete from events where event_id in (
  select event_id from events where device_id >= $1 and starts_with(device_id, $1) limit $2) returning 1 as one`

/** Segments come after the events: a step of sealing holds its events until it has committed, and its segment is seen here. */
const REST = [
  'delete from event_segments where device_id >= $1 and starts_with(device_id, $1)',
  'delete from series where starts_with(device_id, $1)',
  'delete from event_hours where starts_with(device_id, $1)',
  'delete from dead_letters where starts_with(device_id, $1)',
  'delete from dead_letters_counted where starts_with(device_id, $1)',
  'delete from pinned where starts_with(device_id, $1)',
  'delete from devices where starts_with(device_id, $1)',
]

/** Removes all data of devices whose id begins with `prefix`. @returns the number of events removed */
export async function removeDevices(ask: Ask, prefix: string): Promise<number> {
  let removed = 0
  for (;;) {
    const { length } = await ask.query(EVENTS, [prefix, PART])
    removed += length
    if (length < PART) break
  }
  for (const sql of REST) await ask.query(sql, [prefix])
  return removed
}
