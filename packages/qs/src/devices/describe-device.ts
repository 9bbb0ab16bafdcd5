import type { Ask } from '../database/query-pool.ts'

/** `undefined`: unchanged; null: none. */
export interface DeviceChanges {
  readonly label?: string | null | undefined
  readonly timeZone?: string | null | undefined
  readonly room?: string | null | undefined
  /** Seconds; null: derived from its usual interval. */
  readonly silentAfter?: number | 'never' | null | undefined
}

const SQL = `
update devices set
  label = case when $6 then $2 else label end,
  time_zone = case when $7 then $3 else time_zone end,
  room = case when $8 then $4 else room end,
  silent_after_set = case when $9 then $5 else silent_after_set end
where device_id = $1 returning 1`

/** @returns whether the device is known */
export async function describeDevice(
  ask: Ask,
  deviceId: string,
  { label, timeZone, room, silentAfter }: DeviceChanges,
): Promise<boolean> {
  const values = [label, timeZone, room, silentAfter === 'never' ? 'Infinity' : silentAfter]
  const isGiven = values.map((value) => value !== undefined)
  const rows = await ask.query(SQL, [deviceId, ...values.map((value) => value ?? null), ...isGiven])
  return rows.length > 0
}
