import type { Ask } from '../database/query-pool.ts'

export interface DeviceDescription {
  readonly deviceId: string
  /** Null, here and below: unchanged. */
  readonly label: string | null
  readonly timeZone: string | null
  readonly room: string | null
  readonly notes: string | null
}

const SQL = `
insert into devices (device_id, label, time_zone, room, notes) values ($1, $2, $3, $4, $5)
on conflict (device_id) do update set
  label = coalesce(excluded.label, devices.label),
  time_zone = coalesce(excluded.time_zone, devices.time_zone),
  room = coalesce(excluded.room, devices.room),
  notes = coalesce(excluded.notes, devices.notes)`

/** Creates the row of a device that was never seen. */
export async function describeNewDevice(
  ask: Ask,
  { deviceId, label, timeZone, room, notes }: DeviceDescription,
): Promise<void> {
  await ask.query(SQL, [deviceId, label, timeZone, room, notes])
}
