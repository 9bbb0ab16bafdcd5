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

/** A range of bounded_events, `from` inclusive, `to` exclusive, that unpacks only its segments. */
export function inRange(axis: TimeAxis, from: string, to: string): string {
  const [column, { first, last }] = [AXIS_COLUMNS[axis], AXIS_BOUNDS[axis]]
  return `${column} >= ${from} and ${column} < ${to} and ${last} >= ${from} and ${first} < ${to}`
}
