import type { DeadLetterCode, DeviceAckWarning } from '@qs-telemetry/protocol'
import type { Delivery } from './delivery.ts'

/** A delivery after decode: what was in it, by index. */
export interface Message {
  readonly delivery: Delivery
  /** From the topic; null where the topic has none, then nobody can be acked. */
  readonly deviceId: string | null
  /** The device ack mirrors it. An unreadable message is `one` rejected element. */
  readonly shape: 'one' | 'array'
  readonly elements: readonly Element[]
  /** Server time as text, once for all events in it. */
  readonly tsServer: string
}

export type Element = Event | Rejection

/** A row of `events`, as decode leaves it. Times are RFC 3339 text in UTC. */
export interface Event {
  readonly kind: 'event'
  readonly eventId: string
  readonly deviceId: string
  readonly eventType: string
  readonly valueNum: number | null
  readonly valueText: string | null
  readonly unit: string | null
  /** Event time: the device's clock where it is plausible, else the server's. */
  readonly ts: string
  readonly tsDevice: string | null
  /** The wall time that was sent, where it had no offset. Belongs to the content; its reading as `tsDevice` does not. */
  readonly tsDeviceLocal: string | null
  readonly tsDeviceRaw: string | null
  readonly schema: number
  /** JSON text. */
  readonly meta: string | null
  readonly warning: DeviceAckWarning | null
}

/** Why something can never be stored. */
export interface Rejection {
  readonly kind: 'rejection'
  readonly code: DeadLetterCode
  /** For people: the field, what is wrong with it, what to do. */
  readonly message: string
  /** The cause, as the parser or PostgreSQL said it. */
  readonly trace: string
  readonly eventId: string | null
  /** Its device leaves too many dead letters: this one is counted and not kept. */
  readonly onlyCounted?: true
}
