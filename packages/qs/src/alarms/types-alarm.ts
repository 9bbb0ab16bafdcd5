import type { BatchResult, Message } from '../pipeline/message.ts'
import type { Alarm } from './alarm.ts'

/** How long a rejection is shown. A device with a counter in its type causes them continuously. */
export const TYPES_SHOWN_MS = 10 * 60_000
/** Maximum number of devices named. */
const MAX_NAMED = 5

export interface TypesAlarm extends Alarm {
  /** Called for every batch after COMMIT. */
  look(batch: readonly Message[], result: BatchResult, nowMs: number): void
}

/** Devices that send more event types than LIMIT_EVENT_TYPES: a fault of the device that must be fixed there. */
export function typesAlarm(): TypesAlarm {
  const refusedAtMs = new Map<string, number>()
  return {
    name: 'event_types',
    look: (batch, result, nowMs) => {
      for (const [index, outcomes] of result.entries()) {
        if (!outcomes.some(isTooMany)) continue
        const deviceId = batch[index]?.deviceId ?? ''
        if (refusedAtMs.has(deviceId) || refusedAtMs.size < MAX_NAMED) refusedAtMs.set(deviceId, nowMs)
      }
    },
    check: (nowMs) => {
      for (const [deviceId, atMs] of refusedAtMs)
        if (nowMs - atMs > TYPES_SHOWN_MS) refusedAtMs.delete(deviceId)
      if (refusedAtMs.size === 0) return null
      const devices = [...refusedAtMs.keys()].map((deviceId) => JSON.stringify(deviceId)).join(', ')
      return (
        `events were rejected because their device already has LIMIT_EVENT_TYPES event types: ${devices}. ` +
        'A counter or an id in event_type is a mistake on the device: put it into meta or value. Otherwise raise the limit'
      )
    },
  }
}

function isTooMany(outcome: BatchResult[number][number]): boolean {
  return outcome.kind === 'rejection' && outcome.code === 'TOO_MANY_EVENT_TYPES'
}
