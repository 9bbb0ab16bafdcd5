import type { DeviceClock, DeviceStatus } from '@qs-telemetry/protocol/api'

export interface DeviceFilter {
  readonly devices?: readonly string[]
  /** Text in the id, label or room. */
  readonly search?: string
  readonly room?: string
  readonly status?: DeviceStatus
  readonly clock?: DeviceClock
  /** Devices with (or without) a silent series that are not silent themselves. */
  readonly silentSensors?: boolean
}

export const IS_ARCHIVED = 'is_archived(archived_at, last_seen)'

/** Status of a row of `devices`. */
export const STATUS = `case when ${IS_ARCHIVED} then 'archived'
  else device_status(last_seen, coalesce(silent_after_set, silent_after)) end`

/** Conditions on a row of `devices`, with six parameters. Only a question for them by id or status finds archived devices. */
export const MATCHES = `($1::text[] is null or device_id = any($1))
  and ($2::text is null or position(lower($2) in lower(device_id)) > 0 or position(lower($2) in lower(label)) > 0
    or position(lower($2) in lower(room)) > 0)
  and ($3::text is null or room = $3)
  and ($4::text is null and ($1::text[] is not null or not ${IS_ARCHIVED}) or ${STATUS} = $4)
  and ($5::text is null or clock = $5)
  and ($6::boolean is null or (silent_series > 0 and ${STATUS} <> 'silent') = $6)`

export function filterValues(filter: DeviceFilter): readonly unknown[] {
  const { devices, search, room, status, clock, silentSensors } = filter
  return [devices, search, room, status, clock, silentSensors].map((each) => each ?? null)
}
