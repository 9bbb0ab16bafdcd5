import type { DeadLetterCode, Instant } from '@qs-telemetry/protocol'
import type { Delivery } from '../pipeline/delivery.ts'
import type { Slot } from './answer-window.ts'
import type { Lane, Settled } from './lane.ts'
import { type PinnedRead, withoutLargeRead } from './pinned-read.ts'

/** A PUBLISH of a device, as the connection read it. */
export interface Arrived {
  readonly topic: string
  /** A view of the bytes read. */
  readonly payload: Buffer
  readonly qos: 0 | 1 | 2
  readonly packetId: number
  readonly dup: boolean
}

/** A delivery and its slot in the window, in one object without closures: thousands wait at a time. */
export class Taken implements Delivery, Slot, Settled {
  readonly topic: string
  readonly payload: Buffer
  readonly redelivered: boolean
  readonly receivedAt: Instant
  readonly packetId: number
  readonly qos: 1 | 2
  readonly lane: Lane
  readonly read: PinnedRead
  isSettled = false
  refusal: DeadLetterCode | null = null

  constructor({ topic, payload, qos, packetId, dup }: Arrived, receivedAt: Instant, lane: Lane) {
    this.topic = topic
    this.payload = withoutLargeRead(payload)
    this.read = lane.readOf(this.payload.buffer)
    this.redelivered = dup
    this.receivedAt = receivedAt
    this.packetId = packetId
    this.qos = qos === 2 ? 2 : 1
    this.lane = lane
  }

  settle(refusal: DeadLetterCode | null = null): void {
    this.isSettled = true
    this.refusal = refusal
    this.lane.onSettle(this)
  }
}
