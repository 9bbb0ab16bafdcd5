import type { DeviceAck } from '@qs-telemetry/protocol'
import { bytesOf, eventCountOf, type KeptEvent, type OutMessage } from './out-message.ts'

/*
 * Which message some device acks belong to. A device ack names its event; one for an event without a readable id names
 * none, and is known by its place in an array or because only one message can be meant.
 */

/** The ingester refused a message for its size, and named the events that it could read. */
export function isRefusedByItsSize(deviceAcks: readonly DeviceAck[]): boolean {
  return (
    deviceAcks.length > 0 &&
    deviceAcks.every(({ error }) => error?.code === 'TOO_MANY_EVENTS' || error?.code === 'MESSAGE_TOO_LARGE')
  )
}

/**
 * The events of the message that these device acks answer in order; empty if none of them lacks an id, or if there is
 * no such message.
 *
 * @param messageOf returns undefined for an unknown event, null for one that was not yet published
 */
export function eventsInOrder(
  deviceAcks: readonly DeviceAck[],
  messageOf: (eventId: string) => OutMessage | null | undefined,
): readonly KeptEvent[] {
  if (!deviceAcks.some(({ event_id: id }) => id === null)) return []
  const messages = deviceAcks.map(({ event_id: id }) => (id === null ? undefined : messageOf(id)))
  const content = messages.find((message) => message !== undefined)?.content
  if (content?.kind !== 'events' || content.events.length !== deviceAcks.length) return []
  const inOrder = content.events.every(({ eventId }, index) => {
    const id = deviceAcks[index]?.event_id
    return id === null || id === eventId
  })
  return inOrder ? content.events : []
}

/** The first raw message that these device acks can answer, by their ids or by their number. */
export function rawAnsweredBy(
  sent: Iterable<OutMessage>,
  deviceAcks: readonly DeviceAck[],
): OutMessage | null {
  for (const message of sent) {
    if (message.content.kind !== 'raw') continue
    const { eventIds } = message.content.raw
    if (
      isRefusedByItsSize(deviceAcks) &&
      deviceAcks.every(({ event_id: id }) => id !== null && eventIds.includes(id))
    )
      return message
    if (eventIds.length !== deviceAcks.length) continue
    const fits = deviceAcks.every(({ event_id: id }, index) => id === null || id === eventIds[index])
    const isNamed = deviceAcks.some(({ event_id: id }) => id !== null)
    if (fits && (isNamed || eventIds.every((id) => id === null))) return message
  }
  return null
}

/**
 * The message in flight that a device ack without id belongs to; null if that is uncertain.
 *
 * With one message in flight it can only be that one. With several, only the two codes about size help: if any was too
 * large, the largest was. (The ingester may have refused another and not reached the largest yet, which is too large
 * all the same.)
 */
export function suspectOf(out: readonly OutMessage[], deviceAck: DeviceAck): OutMessage | null {
  if (out.length === 1) return out[0] ?? null
  switch (deviceAck.error?.code) {
    case 'MESSAGE_TOO_LARGE':
      return largest(out, bytesOf)
    case 'TOO_MANY_EVENTS': {
      const longest = largest(out, eventCountOf)
      return longest !== null && eventCountOf(longest) > 1 ? longest : null
    }
    default:
      return null
  }
}

function largest(
  messages: readonly OutMessage[],
  measure: (message: OutMessage) => number,
): OutMessage | null {
  let best: OutMessage | null = null
  for (const message of messages) if (best === null || measure(message) > measure(best)) best = message
  return best
}
