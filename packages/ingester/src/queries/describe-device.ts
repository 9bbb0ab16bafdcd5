import type { Ask } from '../database/query-pool.ts'

/** `undefined`: as it is; null: none. */
export interface DeviceDescription {
  readonly label?: string | null | undefined
  readonly timeZone?: string | null | undefined
}

const SQL = `
update devices set
  label = case when $4 then $2 else label end,
  time_zone = case when $5 then $3 else time_zone end
where device_id = $1 returning 1`

/** @returns whether the device is known */
export async function describeDevice(
  ask: Ask,
  deviceId: string,
  { label, timeZone }: DeviceDescription,
): Promise<boolean> {
  const values = [label ?? null, timeZone ?? null, label !== undefined, timeZone !== undefined]
  return (await ask.query(SQL, [deviceId, ...values])).length > 0
}
