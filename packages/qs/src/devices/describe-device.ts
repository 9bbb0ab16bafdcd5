import type { Ask } from '../database/query-pool.ts'

/** `undefined`: unchanged; null: none. */
export interface DeviceChanges {
  readonly label?: string | null | undefined
  readonly timeZone?: string | null | undefined
  readonly room?: string | null | undefined
  readonly notes?: string | null | undefined
  /** Seconds; null: derived from its usual interval. */
  readonly silentAfter?: number | 'never' | null | undefined
  readonly isArchived?: boolean | undefined
}

/** Its last event may be from a clock that is ahead of that of the database, and must not bring it back. */
const SQL = `
update devices set
  label = case when $7 then $2 else label end,
  time_zone = case when $8 then $3 else time_zone end,
  room = case when $9 then $4 else room end,
  notes = case when $10 then $5 else notes end,
  silent_after_set = case when $11 then $6 else silent_after_set end,
  archived_at = case when $12 then case when $13 then greatest(now(), last_seen) end else archived_at end
where device_id = $1 returning 1`

/** @returns whether the device is known */
export async function describeDevice(
  ask: Ask,
  deviceId: string,
  { label, timeZone, room, notes, silentAfter, isArchived }: DeviceChanges,
): Promise<boolean> {
  const values = [label, timeZone, room, notes, silentAfter === 'never' ? 'Infinity' : silentAfter]
  const isGiven = values.map((value) => value !== undefined)
  const rows = await ask.query(SQL, [
    ...[deviceId, ...values.map((value) => value ?? null), ...isGiven],
    ...[isArchived !== undefined, isArchived ?? false],
  ])
  return rows.length > 0
}
