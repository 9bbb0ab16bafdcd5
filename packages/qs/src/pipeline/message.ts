import type { DeadLetterCode, DeviceAckWarning } from '@qs-telemetry/protocol'
import { QsError } from '../errors/qs-error.ts'
import type { Delivery } from './delivery.ts'

export interface MessageParts {
  readonly delivery: Delivery
  /** From the topic; null if the topic has none, so that there is no device to ack. */
  readonly deviceId: string | null
  /** The device ack mirrors it. An unreadable message is `one` rejected element. */
  readonly shape: 'one' | 'array'
  /** Server time as text, once for all events in it. */
  readonly tsServer: string
  readonly elements: readonly Element[]
}

/**
 * A decoded delivery: its elements, by index.
 *
 * It can release its events and decode them again on demand. They are not needed while PostgreSQL works, and thousands
 * of small waiting objects cost the garbage collector time.
 */
export class Message implements MessageParts {
  readonly delivery: Delivery
  readonly deviceId: string | null
  readonly shape: 'one' | 'array'
  readonly tsServer: string
  /** Number of elements. */
  readonly size: number
  readonly #decode: (delivery: Delivery) => readonly Element[]
  #elements: readonly Element[] | null
  /** After `release`: the event ids for its device ack. */
  #eventIds: readonly string[] | null = null
  /** After `release`: the warnings by index. Nearly always empty; all messages then share one empty map. */
  #warnings = NO_WARNINGS

  /** @param decode decodes the elements again */
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
      // Decode may have run out of memory. The first result counts.
      if (again.length !== this.size)
        throw new QsError('INTERNAL_ERROR', 'Decoding a message again gave a different number of elements')
      this.#elements = again
    }
    return this.#elements
  }

  /** All its elements are events, and are decoded again on access. */
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

  /** Releases the events. A message with a rejection keeps its elements: it is written and answered one by one. */
  release(): void {
    const elements = this.#elements
    if (elements?.every(isEvent) !== true) return
    // Of exact size: an array that grows has room for 17, and thousands of messages wait for their commit.
    this.#eventIds = elements.map(({ eventId }) => eventId)
    for (let index = 0; index < elements.length; index++) {
      const warning = elements[index]?.warning ?? null
      if (warning === null) continue
      if (this.#warnings === NO_WARNINGS) this.#warnings = new Map()
      this.#warnings.set(index, warning)
    }
    this.#elements = null
  }
}

const NO_WARNINGS = new Map<number, DeviceAckWarning>()

function isEvent(element: Element): element is Event {
  return element.kind === 'event'
}

export type Element = Event | Rejection

/** A row of `events`, as decoded. Times are RFC 3339 text in UTC. */
export interface Event {
  readonly kind: 'event'
  readonly eventId: string
  readonly deviceId: string
  readonly eventType: string
  readonly valueNum: number | null
  readonly valueText: string | null
  /** The number as sent, where `valueNum` is only the nearest double. Part of the content. */
  readonly valueExact: string | null
  readonly unit: string | null
  /** Event time: the device time if it is plausible, otherwise derived from the server time. */
  readonly ts: string
  readonly tsDevice: string | null
  /** The local time as sent, if it had no offset. Part of the content; its interpretation, `tsDevice`, is not. */
  readonly tsDeviceLocal: string | null
  readonly tsDeviceRaw: string | null
  readonly schema: number
  /** JSON text. */
  readonly meta: string | null
  readonly warning: DeviceAckWarning | null
}

/** Why an element can never be stored. */
export interface Rejection {
  readonly kind: 'rejection'
  readonly code: DeadLetterCode
  /** For an operator: the field, what is wrong with it, what to do. */
  readonly message: string
  /** The cause, as the parser or PostgreSQL reported it. */
  readonly trace: string
  readonly eventId: string | null
  /** For an array rejected as a whole: the ids of its events that the device ack names. */
  readonly names?: readonly string[]
  /** For an array rejected as a whole: its number of elements. */
  readonly elements?: number
  /** Kept as a dead letter even beyond the limit of its device. */
  readonly isAlwaysKept?: true
  /** Beyond the dead-letter limit of its device: counted and not kept. */
  readonly onlyCounted?: true
}

/** What became of one element. Partial failure is data: each outcome has the index of its element. */
export type Outcome =
  | { readonly kind: 'stored'; readonly tsServer: string }
  /** `tsServer` is that of the event stored first. */
  | { readonly kind: 'duplicate'; readonly tsServer: string }
  | Rejection

/** Outcomes by message of the batch, then by element of the message; all committed. */
export type BatchResult = readonly (readonly Outcome[])[]
