import type { Device } from '@qs-telemetry/protocol/api'
import { deviceUrl } from '../app/route.svelte.ts'
import { get } from './request.ts'

/** Labels by device id; a device without one is not in it, and neither is one that is gone. */
export async function deviceNames(
  deviceIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.allSettled(
    deviceIds.map((deviceId) => get<Device>(`/api${deviceUrl(deviceId)}`, {}, signal)),
  )
  const devices = found.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
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
