import type { Device } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { type LatestReading, latestReadings } from './latest-readings.ts'
import { MAX_SERIES } from './max-series.ts'
import { momentText } from './moment-text.ts'

export interface DeviceFilter {
  /** Only these. */
  readonly devices?: readonly string[]
  /** In the id, the label or the room. */
  readonly search?: string
  /** Only those in this room. */
  readonly room?: string
  /** Those that come after this id. */
  readonly after?: string
  readonly limit: number
  /** Readings of each device. Default: the fewer, the more devices there are. */
  readonly readings?: number
}

interface Row {
  readonly deviceId: string
  readonly label: string | null
  readonly timeZone: string | null
  readonly room: string | null
  readonly firstSeen: string | null
  readonly lastSeen: string | null
  readonly status: Device['status']
  readonly silentAfter: number | null
  readonly silentAfterSet: number | null
  readonly types: number
  /** Of its freshest event; all null where it has none. */
  readonly isReadable: boolean | null
  readonly isPlausible: boolean | null
  readonly offsetSeconds: number | null
}

const MATCHES = `($1::text[] is null or device_id = any($1))
  and ($2::text is null or position(lower($2) in lower(device_id)) > 0 or position(lower($2) in lower(label)) > 0
    or position(lower($2) in lower(room)) > 0)
  and ($3::text is null or room = $3)`

/** The page first, and then what its devices measure. */
const SQL = `
with page as materialized (
  select * from devices
  where ${MATCHES} and ($4::text is null or device_id > $4)
  order by device_id limit $5
)
select
  d.device_id as "deviceId", d.label, d.time_zone as "timeZone", d.room,
  ${momentText('d.first_seen')} as "firstSeen", ${momentText('d.last_seen')} as "lastSeen",
  device_status(d.last_seen, coalesce(d.silent_after_set, d.silent_after)) as status,
  d.silent_after as "silentAfter", d.silent_after_set as "silentAfterSet", counted.types,
  freshest.ts_device_readable as "isReadable", freshest.ts = freshest.ts_device as "isPlausible",
  extract(epoch from freshest.ts_device - freshest.ts_server)::float8 as "offsetSeconds"
from page d
cross join lateral (
  select count(*)::int as types
  from (select 1 from series s where s.device_id = d.device_id limit ${MAX_SERIES}) looked_at
) as counted
left join lateral freshest_event(d.device_id) as freshest on true
order by d.device_id`

const COUNT = `select count(*)::int as total from devices where ${MATCHES}`

/** What one answer shows of all its devices together, and of each of many. */
const READINGS = { together: 4_000, least: 4, most: 32 } as const
/** A clock that is further off is worth a look. */
const CLOCK_OFF_SECONDS = 60

/** Devices by id, each with its newest readings: a bounded number of them, the fewer the more devices there are. */
export async function listDevices(
  ask: Ask,
  { devices, search, room, after, limit, readings = readingsEach(limit) }: DeviceFilter,
): Promise<readonly Device[]> {
  const rows = await ask.query<Row>(SQL, [
    ...[devices ?? null, search ?? null, room ?? null, after ?? null, limit],
  ])
  const ids = rows.map(({ deviceId }) => deviceId)
  const byDevice = groupByDevice(await latestReadings(ask, ids, readings))
  return rows.map((row) => describe(row, byDevice.get(row.deviceId) ?? []))
}

/** How many devices match, on all pages. */
export async function countDevices(
  ask: Ask,
  { devices, search, room }: Partial<DeviceFilter> = {},
): Promise<number> {
  const [row] = await ask.query<{ total: number }>(COUNT, [devices ?? null, search ?? null, room ?? null])
  return row?.total ?? 0
}

/** One device is shown whole. */
function readingsEach(limit: number): number {
  if (limit === 1) return MAX_SERIES
  return Math.max(READINGS.least, Math.min(READINGS.most, Math.floor(READINGS.together / limit)))
}

/** Map.groupBy, which Node 20 does not have. */
function groupByDevice(readings: readonly LatestReading[]): Map<string, LatestReading[]> {
  const groups = new Map<string, LatestReading[]>()
  for (const reading of readings) {
    const group = groups.get(reading.deviceId)
    if (group === undefined) groups.set(reading.deviceId, [reading])
    else group.push(reading)
  }
  return groups
}

function describe(row: Row, readings: readonly LatestReading[]): Device {
  const {
    deviceId,
    label,
    timeZone,
    room,
    firstSeen,
    lastSeen,
    status,
    silentAfter,
    silentAfterSet,
    offsetSeconds,
    types,
  } = row
  return {
    ...{ deviceId, label, timeZone, room, firstSeen, lastSeen },
    ...{ status, silentAfter },
    silentAfterSet: silentAfterSet === Number.POSITIVE_INFINITY ? 'never' : silentAfterSet,
    clock: clockOf(row),
    offsetSeconds,
    readings: readings.map(({ deviceId: _, ...reading }) => reading),
    moreReadings: Math.max(0, types - readings.length),
  }
}

function clockOf({ isReadable, isPlausible, offsetSeconds }: Row): Device['clock'] {
  if (isReadable === null) return 'unknown'
  if (!isReadable) return 'unreadable'
  if (offsetSeconds === null) return 'absent'
  if (!isPlausible) return 'implausible'
  return Math.abs(offsetSeconds) > CLOCK_OFF_SECONDS ? 'off' : 'good'
}
