import type { Ack } from '../checker.ts'

/** The device acks of one message. */
export function readAcks(deviceId: string, payload: string): readonly Ack[] {
  const parsed = JSON.parse(payload) as AckJson | readonly AckJson[]
  return [parsed].flat().map(({ event_id, status }) => ({ deviceId, eventId: event_id, status }))
}

interface AckJson {
  readonly event_id: string | null
  readonly status: Ack['status']
}
