import type { Overview } from '@qs-telemetry/protocol/api'
import type { Ask } from '../../database/query-pool.ts'
import { listDevices } from '../../devices/list-devices.ts'
import { listPinned } from './pinned.ts'

/** Devices that are shown with their latest values, and values of each: always the same ones, so that nothing jumps. */
const SHOWN = { limit: 12, readings: 4 } as const

/** What a reader wants to see first, in an answer of the same size for ten devices and for ten thousand. */
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
