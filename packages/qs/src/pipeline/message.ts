import type { DeadLetterCode, DeviceAckWarning } from '@qs-telemetry/protocol'
import type { Delivery } from './delivery.ts'

export interface MessageParts {
  readonly delivery: Delivery
  /** From the topic; null if the topic has none: then no device can be acked. */
  readonly deviceId: string | null
  /** The device ack mirrors it. An unreadable message is `one` rejected element. */
  readonly shape: 'one' | 'array'
  /** Server time as text, once for all events in it. */
  readonly tsServer: string
  readonly elements: readonly Element[]
}

/**
 * A delivery after decode: what was in it, by index.
 *
 * It can release its events and decode them again when they are needed. While PostgreSQL works they are not needed, and
 * thousands of small objects that wait cost the garbage collector time.
 */
export class Message implements MessageParts {
  readonly delivery: Delivery
  readonly deviceId: string | null
  readonly shape: 'one' | 'array'
  readonly tsServer: string
  /** How many elements it has. */
  readonly size: number
  readonly #decode: (delivery: Delivery) => readonly Element[]
  #elements: readonly Element[] | null
  /** After `release`: the ids that its device ack names. */
  #eventIds: readonly string[] | null = null
  /** After `release`: the warnings by index. Nearly always empty, and then the same for all messages. */
  #warnings: ReadonlyMap<number, DeviceAckWarning> = NO_WARNINGS

  /** @param decode gives the elements again */
  constructor(
    { delivery, deviceId, shape, tsServer, elements }: MessageParts,
    decode: (delivery: Delivery) => readonly Element[],
  ) {
    this.delivery = delivery
    this.deviceId = deviceId
    this.shape = shape
    this.tsServer = tsServer
    this.size = elements.length
    this.#elements = elements
    this.#decode = decode
  }

  get elements(): readonly Element[] {
    if (this.#elements === null) {
      const again = this.#decode(this.delivery)
      // Decode may have failed for want of memory. The first result counts.
      if (again.length !== this.size) throw new Error('A message was decoded again and is another one')
      this.#elements = again
    }
    return this.#elements
  }

  /** Its elements are events, and are decoded again when they are asked for. */
  get isReleased(): boolean {
    return this.#eventIds !== null
  }

  get hasEvents(): boolean {
    return this.isReleased || this.elements.some(({ kind }) => kind === 'event')
  }

  eventIdAt(index: number): string | null {
    return (this.#eventIds === null ? this.elements[index]?.eventId : this.#eventIds[index]) ?? null
  }

  warningAt(index: number): DeviceAckWarning | null {
    if (this.#eventIds !== null) return this.#warnings.get(index) ?? null
    const element = this.elements[index]
    return element?.kind === 'event' ? element.warning : null
  }

  /** Lets go of the events. A message with a rejection keeps its elements: it is written and answered one by one. */
  release(): void {
    if (this.#elements === null) return
    const eventIds: string[] = []
    let warnings: Map<number, DeviceAckWarning> | null = null
    for (const element of this.#elements) {
      if (element.kind !== 'event') return
      if (element.warning !== null) {
        warnings ??= new Map()
        warnings.set(eventIds.length, element.warning)
      }
      eventIds.push(element.eventId)
    }
    this.#eventIds = eventIds
    this.#warnings = warnings ?? NO_WARNINGS
    this.#elements = null
  }
}

const NO_WARNINGS: ReadonlyMap<number, DeviceAckWarning> = new Map()

export type Element = Event | Rejection

/** A row of `events`, as decode leaves it. Times are RFC 3339 text in UTC. */
export interface Event {
  readonly kind: 'event'
  readonly eventId: string
  readonly deviceId: string
  readonly eventType: string
  readonly valueNum: number | null
  readonly valueText: string | null
  /** The number that was sent, where `valueNum` is only the double nearest to it. Belongs to the content. */
  readonly valueExact: string | null
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
  /** Written for an operator: the field, what is wrong with it, what to do. */
  readonly message: string
  /** The cause, as the parser or PostgreSQL said it. */
  readonly trace: string
  readonly eventId: string | null
  /** Of an array that is refused as a whole: the events in it that the device ack names. */
  readonly names?: readonly string[]
  /** Of an array that is refused as a whole: how many elements it has. */
  readonly elements?: number
  /** Kept as a dead letter however many its device leaves. */
  readonly isAlwaysKept?: true
  /** Its device leaves too many dead letters: this one is counted and not kept. */
  readonly onlyCounted?: true
}
