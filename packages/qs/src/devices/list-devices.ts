import type { Device, DeviceSort } from '@qs-telemetry/protocol/api'
import { momentText } from '../database/moment-text.ts'
import type { Ask } from '../database/query-pool.ts'
import { type DeviceFilter, filterValues, MATCHES, STATUS } from './device-filter.ts'
import { DEVICE_ORDERS, type DeviceCursor } from './device-order.ts'
import type { DeviceRow } from './device-rows.ts'
import { type LatestReading, latestReadings } from './latest-readings.ts'
import { MAX_SERIES } from './series.ts'

export interface DeviceQuestion extends DeviceFilter {
  /** Default: name. */
  readonly sort?: DeviceSort
  /** End of the previous page, in the same order. */
  readonly after?: DeviceCursor
  readonly limit: number
  /** Readings per device. Default: the more devices, the fewer. */
  readonly readings?: number
}

export interface DevicePage {
  readonly devices: readonly Device[]
  /** Null: last page. */
  readonly next: DeviceCursor | null
}

interface Row extends Omit<DeviceRow, 'eventsLastHour' | 'driftSeconds' | 'missingEvents' | 'completeSince'> {
  readonly notes: string | null
  readonly archivedAt: string | null
  readonly silentAfter: number | null
  readonly silentAfterSet: number | null
  readonly types: number
  readonly clock: Device['clock']
  readonly offsetSeconds: number | null
  /** Sort key. */
  readonly key: string
}

/** Selects the page first, then current summaries of its devices, since those in `devices` may be ten seconds old. */
function pageSql(sort: DeviceSort): string {
  const { key, type, direction } = DEVICE_ORDERS[sort]
  const beyond = direction === 'asc' ? '>' : '<'
  return `
with page as materialized (
  select *, ${key} as place
  from devices
  where ${MATCHES} and ($7::text is null or (${key}, device_id) ${beyond} ($7::${type}, $8::text collate "C"))
  order by ${key} ${direction}, device_id ${direction} limit $9
)
select
  d.device_id as "deviceId", d.label, d.time_zone as "timeZone", d.room, d.notes, d.place::text as key,
  ${momentText('d.first_seen')} as "firstSeen", ${momentText('d.last_seen')} as "lastSeen", ${STATUS} as status,
  ${momentText('d.archived_at')} as "archivedAt",
  d.silent_after as "silentAfter", d.silent_after_set as "silentAfterSet",
  s.types, s.clock, s.clock_offset as "offsetSeconds"
from page d cross join lateral summary_of(d.device_id) s
order by d.place ${direction}, d.device_id ${direction}`
}

const COUNT = `select count(*)::int as total from devices where ${MATCHES}`

/** Readings in one answer: of all devices together, and per device. */
const READINGS = { together: 4_000, least: 4, most: 32 } as const

/** Devices with their newest readings, limited in total: the more devices, the fewer readings each. */
export async function listDevices(ask: Ask, question: DeviceQuestion): Promise<DevicePage> {
  const { sort = 'name', after, limit, readings = readingsEach(limit) } = question
  const place = [after?.key ?? null, after?.deviceId ?? null]
  // One extra row shows whether there is a next page.
  const found = await ask.query<Row>(pageSql(sort), [...filterValues(question), ...place, limit + 1])
  const rows = found.slice(0, limit)
  const ids = rows.map(({ deviceId }) => deviceId)
  const byDevice = groupByDevice(await latestReadings(ask, ids, readings))
  const last = rows.at(-1)
  return {
    devices: rows.map((row) => describe(row, byDevice.get(row.deviceId) ?? [])),
    next:
      last !== undefined && found.length > limit ? { sort, key: last.key, deviceId: last.deviceId } : null,
  }
}

/** Number of matching devices on all pages. */
export async function countDevices(ask: Ask, filter: DeviceFilter = {}): Promise<number> {
  const [row] = await ask.query<{ total: number }>(COUNT, filterValues(filter))
  return row?.total ?? 0
}

/** One device with all its series; null if unknown. */
export async function findDevice(ask: Ask, deviceId: string): Promise<Device | null> {
  const { devices } = await listDevices(ask, { devices: [deviceId], limit: 1 })
  return devices[0] ?? null
}

/** A single device is shown with all its series. */
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
  const { key: _, silentAfterSet, ...device } = row
  return {
    ...device,
    silentAfterSet: silentAfterSet === Number.POSITIVE_INFINITY ? 'never' : silentAfterSet,
    readings: readings.map(({ deviceId: _, ...reading }) => reading),
    moreReadings: Math.max(0, device.types - readings.length),
  }
}
