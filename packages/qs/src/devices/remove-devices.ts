import { setTimeout as delay } from 'node:timers/promises'
import type { Ask } from '../database/query-pool.ts'
import { DEVICE_INTERVAL_MS } from '../pipeline/device-interval.ts'

/** Deletes in parts, to keep statements short. */
const PART = 20_000

/**
 * An ingester may write the row of a device once more for so long after its last event: rows are due every interval, and
 * without traffic an ingester checks once per interval.
 */
export const LAST_ROW_MS = 2 * DEVICE_INTERVAL_MS + 1_000

/** Every other table with rows of devices; dead_letter_history goes with dead_letters. */
const TABLES = [
  'series',
  'dropped_series',
  'event_hours',
  'dead_letters',
  'dead_letters_counted',
  'alert_history',
  'alert_states',
  'pinned',
  'devices',
]

const IS_FRESH = `
select from (
  select last_seen from devices where device_id = $1 union all select last_seen from series where device_id = $1) s
where last_seen > now() - interval '30 seconds'`

/** It has sent nothing since its removal. */
const IS_GONE = 'not exists (select from events e where e.device_id = $1)'

/** Removes all data of devices whose id begins with `prefix`. @returns the number of events removed */
export async function removeDevices(ask: Ask, prefix: string): Promise<number> {
  const removed = await removeEvents(ask, 'remove_events', prefix)
  await ask.query('select forget_numbers($1)', [prefix])
  for (const table of TABLES)
    await ask.query(`delete from ${table} where starts_with(device_id, $1)`, [prefix])
  return removed
}

interface Removal {
  readonly events: number
  /**
   * Set if the device sent just now: removes, once the time has come, what an ingester has written of it since then.
   * Rows of a device that has come back meanwhile stay.
   */
  readonly finish: ((onWait?: (ms: number) => void) => Promise<void>) | null
}

/** Removes all data of one device. Its account should be removed before, or it comes back with its next event. */
export async function removeDevice(ask: Ask, deviceId: string): Promise<Removal> {
  const isFresh = (await ask.query(IS_FRESH, [deviceId])).length > 0
  const events = await removeEvents(ask, 'remove_device_events', deviceId)
  for (const table of TABLES) await ask.query(`delete from ${table} where device_id = $1`, [deviceId])
  const finish = async (onWait?: (ms: number) => void) => {
    onWait?.(LAST_ROW_MS)
    await delay(LAST_ROW_MS, undefined, { ref: onWait !== undefined })
    for (const table of ['series', 'event_hours', 'devices'])
      await ask.query(`delete from ${table} where device_id = $1 and ${IS_GONE}`, [deviceId])
  }
  return { events, finish: isFresh ? finish : null }
}

async function removeEvents(
  ask: Ask,
  name: 'remove_events' | 'remove_device_events',
  which: string,
): Promise<number> {
  let removed = 0
  for (let isEnd = false; !isEnd; ) {
    const [part] = await ask.query<{ removed: number; isEnd: boolean }>(
      `select removed::int, is_end as "isEnd" from ${name}($1, $2)`,
      [which, PART],
    )
    removed += part?.removed ?? 0
    isEnd = part?.isEnd ?? true
  }
  return removed
}
