import type { Ask } from '../database/query-pool.ts'

/** `undefined`: as it is; null: none. Of a device that may never have been seen. */
export interface DeviceDescription {
  readonly label?: string | null | undefined
  readonly timeZone?: string | null | undefined
}

const SQL = `
insert into devices (device_id, label, time_zone) values ($1, $2, $3)
on conflict (device_id) do update set
  label = case when $4 then excluded.label else devices.label end,
  time_zone = case when $5 then excluded.time_zone else devices.time_zone end`

export async function describeDevice(
  ask: Ask,
  deviceId: string,
  { label, timeZone }: DeviceDescription,
): Promise<void> {
  const values = [label ?? null, timeZone ?? null, label !== undefined, timeZone !== undefined]
  await ask.query(SQL, [deviceId, ...values])
}
