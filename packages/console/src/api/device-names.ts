import type { DeviceList } from '@qs-telemetry/protocol/api'
import { get } from './request.ts'

/** More than the lines of a chart. */
const MOST = 100

/** Labels by device id; devices without a label are absent. */
export async function deviceNames(
  deviceIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  if (deviceIds.length === 0) return new Map()
  const query = { device: deviceIds.slice(0, MOST), readings: 0, limit: MOST }
  const { devices } = await get<DeviceList>('/api/devices', query, signal)
  const labels = devices.map(({ label }) => label)
  return new Map(
    devices.flatMap(({ deviceId, label }) => {
      if (label === null) return []
      // Two devices may have the same label.
      const isTaken = labels.indexOf(label) !== labels.lastIndexOf(label)
      return [[deviceId, isTaken ? `${label} (${deviceId})` : label] as const]
    }),
  )
}
