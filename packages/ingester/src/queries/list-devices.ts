import type { Device } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { type LatestReading, latestReadings } from './latest-readings.ts'
import { momentText } from './moment-text.ts'

export interface DeviceFilter {
  /** Only these. */
  readonly devices?: readonly string[]
  /** In the id or the label. */
  readonly search?: string
  readonly limit: number
}

interface Row {
  readonly deviceId: string
  readonly label: string | null
  readonly timeZone: string | null
  readonly firstSeen: string | null
  readonly lastSeen: string | null
}

const SQL = `
select
  device_id as "deviceId", label, time_zone as "timeZone",
  ${momentText('first_seen')} as "firstSeen", ${momentText('last_seen')} as "lastSeen"
from devices
where ($1::text[] is null or device_id = any($1))
  and ($2::text is null or position(lower($2) in lower(device_id)) > 0 or position(lower($2) in lower(label)) > 0)
order by device_id limit $3`

/** Silent is who is quiet for three times its own rhythm, and a minute at least: device rows are up to 10 s old. */
const [SILENT_AFTER_BEATS, SILENT_AFTER_MS] = [3, 60_000]
/** A clock that is further off is worth a look. */
const CLOCK_OFF_SECONDS = 60

export async function listDevices(
  ask: Ask,
  { devices, search, limit }: DeviceFilter,
  nowMs: number = Date.now(),
): Promise<readonly Device[]> {
  const rows = await ask.query<Row>(SQL, [devices ?? null, search ?? null, limit])
  const readings = await latestReadings(
    ask,
    rows.map(({ deviceId }) => deviceId),
  )
  const byDevice = groupByDevice(readings)
  return rows.map((row) => describe(row, byDevice.get(row.deviceId) ?? [], nowMs))
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

function describe(row: Row, readings: readonly LatestReading[], nowMs: number): Device {
  const freshest = readings.reduce<LatestReading | null>(
    (best, each) => (best === null || each.tsServer > best.tsServer ? each : best),
    null,
  )
  return {
    ...row,
    status: statusOf(row, readings, nowMs),
    clock: clockOf(freshest),
    offsetSeconds: freshest?.offsetSeconds ?? null,
    readings: readings.map(({ eventType, valueNum, valueText, unit, ts, everySeconds }) => ({
      eventType,
      valueNum,
      valueText,
      unit,
      ts,
      everySeconds,
    })),
  }
}

function statusOf({ lastSeen }: Row, readings: readonly LatestReading[], nowMs: number): Device['status'] {
  if (lastSeen === null) return 'never'
  const rhythms = readings.flatMap(({ everySeconds }) => (everySeconds ? [everySeconds] : []))
  const beatMs = rhythms.length === 0 ? 0 : Math.min(...rhythms) * 1000
  const allowedMs = Math.max(SILENT_AFTER_MS, SILENT_AFTER_BEATS * beatMs)
  return nowMs - Date.parse(lastSeen) > allowedMs ? 'silent' : 'online'
}

function clockOf(freshest: LatestReading | null): Device['clock'] {
  if (freshest === null) return 'unknown'
  if (freshest.isUnreadable) return 'unreadable'
  if (!freshest.hasDeviceTime) return 'absent'
  if (!freshest.isPlausible) return 'implausible'
  return Math.abs(freshest.offsetSeconds ?? 0) > CLOCK_OFF_SECONDS ? 'off' : 'good'
}
