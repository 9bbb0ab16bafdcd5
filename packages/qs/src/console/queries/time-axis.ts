import type { TimeAxis } from '@qs-telemetry/protocol/api'

/** Column names, from a closed list: they become part of the SQL. */
export const AXIS_COLUMNS: Readonly<Record<TimeAxis, string>> = {
  event: 'ts',
  device: 'ts_device',
  server: 'ts_server',
}

/** The bounds of the segment of an event in bounded_events; a row of events is its own bounds. */
export const AXIS_BOUNDS: Readonly<Record<TimeAxis, { readonly first: string; readonly last: string }>> = {
  event: { first: 'first_ts', last: 'last_ts' },
  device: { first: 'first_device', last: 'last_device' },
  server: { first: 'first_seen', last: 'last_seen' },
}
