import type { Ack } from '../checker.ts'
import type { QueuedMessage } from './broker-session.ts'
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
    while (due.length > 0) {
      const alone = due.findIndex((item) => !item.isElement)
      if (alone >= 0) this.#publish(due.splice(alone, 1), false)
      else this.#publish(due.splice(0, random.between(1, this.#options.maxArray)), true)
    }
  }

  /** Takes the ack of one element and forgets the event. */
  acked(ack: Ack): void {
    const { checker } = this.#world
    checker.acked(ack)
    for (const item of this.#kept.keys()) {
      if (item.ackId === ack.eventId && checker.isKept(this.id, item.payload)) this.#kept.delete(item)
    }
  }

  #publish(items: readonly Item[], mayBeArray: boolean): void {
    const { timeline, random, checker, faults } = this.#world
    // An array without any event or id is one dead letter; workload.ts makes such arrays as one item.
    if (items.length > 1 && items.every(({ ackId }) => ackId === null)) {
      for (const item of items) this.#publish([item], false)
      return
    }
    for (const item of items) {
      this.#kept.set(item, timeline.nowMs)
      checker.sent(item)
    }
    const [first] = items
    if (first === undefined) return
    const isArray = items.length > 1 || (mayBeArray && random.chance(0.2))
    const text = isArray
      ? `[${items.map(({ payload }) => payload).join(random.pick([',', ' , ']))}${random.chance(0.1) ? ',' : ''}]`
      : first.payload
    const message: QueuedMessage = {
      topic: `qs/v1/${this.id}/events`,
      deviceId: this.id,
      qos: this.#options.qos,
      payload: Buffer.from(text),
      elements: items.map(({ payload }) => payload),
    }
    // The device's own link to the broker loses and duplicates too.
    if (faults.isOn && random.chance(faults.deviceLoss)) return
    const times = faults.isOn && random.chance(faults.deviceDouble) ? 2 : 1
    for (let n = 0; n < times; n++) {
      timeline.after(faults.latencyMs * (0.5 + random.next()), () => this.#options.publish(message))
    }
  }
}
