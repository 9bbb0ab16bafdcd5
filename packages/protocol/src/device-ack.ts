import type { DeviceAck } from './schemas/device-ack.ts'

/** Reads a payload from an ack topic; null if it is not a device ack. */
export function ackFor(payload: Uint8Array): readonly DeviceAck[] | null {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(payload))
    const acks = Array.isArray(parsed) ? parsed : [parsed]
    return acks.every(isDeviceAck) ? acks : null
  } catch {
    return null
  }
}

const STATUSES: ReadonlySet<unknown> = new Set(['stored', 'duplicate', 'rejected'])

function isDeviceAck(value: unknown): value is DeviceAck {
  if (typeof value !== 'object' || value === null) return false
  const { event_id: eventId, status } = value as Partial<DeviceAck>
  return (typeof eventId === 'string' || eventId === null) && STATUSES.has(status)
}
