import type { Ack } from '../checker.ts'
import type { QueuedMessage } from './broker-session.ts'
import { type Message, packMessages } from './messages.ts'
import type { Item } from './workload.ts'
import type { World } from './world.ts'

export interface DeviceOptions {
  readonly id: string
  readonly qos: 0 | 1
  readonly maxArray: number
  readonly publish: (message: QueuedMessage) => void
}

/** After this long without its ack an event is sent again, with whatever else is due. */
const RESEND_MS = 5_000

/** A device that keeps each event, and resends it, until its device ack. */
export class Device {
  readonly id: string
  readonly #options: DeviceOptions
  readonly #world: World
  /** Events waiting for an ack, and when each was last sent. */
  readonly #kept = new Map<Item, number>()

  constructor(world: World, options: DeviceOptions) {
    this.id = options.id
    this.#world = world
    this.#options = options
  }

  get isDone(): boolean {
    return this.#kept.size === 0
  }

  want(items: readonly Item[]): void {
    for (const item of items) this.#kept.set(item, Number.NEGATIVE_INFINITY)
  }

  /** Sends what is due, as single events and arrays. */
  send(): void {
    const { timeline, random } = this.#world
    const due = [...this.#kept]
      .filter(([, sentMs]) => timeline.nowMs - sentMs >= RESEND_MS)
      .map(([item]) => item)
    for (const message of packMessages(random, due, this.#options.maxArray)) this.#publish(message)
  }

  /** Takes the ack of one element and forgets the event. */
  acked(ack: Ack): void {
    const { checker } = this.#world
    checker.acked(ack)
    for (const item of this.#kept.keys()) {
      if (item.ackId === ack.eventId && checker.isKept(this.id, item.payload)) this.#kept.delete(item)
    }
  }

  #publish({ items, payload }: Message): void {
    const { timeline, random, checker, faults } = this.#world
    for (const item of items) {
      this.#kept.set(item, timeline.nowMs)
      checker.sent(item)
    }
    const message: QueuedMessage = {
      topic: `qs/v1/${this.id}/events`,
      deviceId: this.id,
      qos: this.#options.qos,
      payload,
      elements: items.map((item) => item.payload),
    }
    // The device's own link to the broker loses and duplicates too.
    if (faults.isOn && random.chance(faults.deviceLoss)) return
    const times = faults.isOn && random.chance(faults.deviceDouble) ? 2 : 1
    for (let n = 0; n < times; n++) {
      timeline.after(faults.latencyMs * (0.5 + random.next()), () => this.#options.publish(message))
    }
  }
}
