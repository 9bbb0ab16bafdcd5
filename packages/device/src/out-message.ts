import type { DeviceAck } from '@qs-telemetry/protocol'
import { type CompletedEvent, jsonNow } from './outgoing-event.ts'

/** An event kept until its device ack. */
export interface KeptEvent extends CompletedEvent {
  /** When it was handed over, on a monotonic clock. */
  readonly sinceMs: number
  readonly settle: (deviceAck: DeviceAck) => void
  readonly abandon: (error: Error) => void
}

/** Bytes that a caller publishes as they are. */
export interface RawPayload {
  readonly payload: Uint8Array
  /** The ids that the device ack will have, by element; null for an element without id. */
  readonly eventIds: readonly (string | null)[]
  readonly settle: (deviceAcks: readonly DeviceAck[]) => void
  readonly abandon: (error: Error) => void
}

export type MessageContent =
  | { readonly kind: 'events'; readonly events: readonly KeptEvent[] }
  | { readonly kind: 'raw'; readonly raw: RawPayload }

/** One PUBLISH, until every event in it has its device ack. Owned and changed by the outbox alone. */
export interface OutMessage {
  content: MessageContent
  /** Events, or elements of a raw payload, without device ack. */
  open: number
  /** How often its events were published, including as parts of a larger message. */
  attempts: number
  /** How often this exact message was published, and thus how many device acks may arrive. */
  copies: number
  /** When to publish it again, on the clock of the outbox. */
  dueAtMs: number
}

export function newMessage(content: MessageContent, attempts = 0): OutMessage {
  const open = content.kind === 'events' ? content.events.length : content.raw.eventIds.length
  return { content, open, attempts, copies: 0, dueAtMs: 0 }
}

/** The payload on the wire: an object for one event, an array for several. */
export function payloadOf({ content }: OutMessage, nowMs: number): string | Buffer {
  if (content.kind === 'raw') return Buffer.from(content.raw.payload)
  const texts = content.events.map((event) => jsonNow(event, nowMs - event.sinceMs))
  return texts.length === 1 ? (texts[0] as string) : `[${texts.join(',')}]`
}

/** Bytes of the payload. */
export function bytesOf({ content }: OutMessage): number {
  if (content.kind === 'raw') return content.raw.payload.length
  const json = content.events.reduce((sum, event) => sum + event.bytes, 0)
  // An array of n has n - 1 commas and two brackets; one event is sent as an object.
  return content.events.length === 1 ? json : json + content.events.length + 1
}

export function eventCountOf({ content }: OutMessage): number {
  return content.kind === 'raw' ? content.raw.eventIds.length : content.events.length
}
