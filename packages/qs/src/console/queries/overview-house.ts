import type { Overview } from '@qs-telemetry/protocol/api'
import type { Ask } from '../../database/query-pool.ts'
import { listDevices } from '../../devices/list-devices.ts'
import { listPinned } from './pinned.ts'

/** Devices shown with their latest values, and values per device: always the same ones, so that nothing jumps. */
const SHOWN = { limit: 12, readings: 4 } as const

/** Pinned readings and latest values; the size of the answer does not grow with the fleet. */
export async function overviewHouse(ask: Ask): Promise<Overview['house']> {
  const [pinned, { devices }] = await Promise.all([listPinned(ask), listDevices(ask, SHOWN)])
  const latest = devices.map(({ deviceId, label, room, status, readings, moreReadings }) => ({
    ...{ deviceId, label, room, status, moreReadings },
    readings: readings.map(({ eventType, valueNum, valueText, unit, ts }) => ({
      ...{ eventType, valueNum, valueText, unit, ts },
    })),
  }))
  return { pinned: [...pinned], latest }
}
