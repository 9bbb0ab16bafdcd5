import type { IPublishPacket } from 'mqtt-packet'
import { AskingClient } from './asking-client.ts'
import type { DeviceEnd, DeviceLink } from './device-link.ts'
import { type Moment, RETAINED_FILTER, RETAINED_NAMES, type RetainedTopics } from './retained-topics.ts'
import type { World } from './world.ts'

/** How often a message clears its topic, and a subscriber stays to subscribe again. */
const CLEARS = 0.3
const STAYS = 0.5

/** A client that sets, replaces and clears retained messages, and one that subscribes to them again and again. */
export class RetainedWorld {
  readonly #world: World
  readonly #topics: RetainedTopics
  readonly #writer: AskingClient
  readonly #reader: AskingClient
  readonly #hasHandling: boolean
  readonly #qos: 0 | 1
  /** Topics to be written once more after the faults. */
  #left: readonly string[] = RETAINED_NAMES
  /** What the writer waits for: its topic, and the process that it was sent to. */
  #written = { name: '', process: 0 }
  /** When the reader subscribed, first and last, on its connection. */
  #first: Moment | null = null
  #last: Moment | null = null
  #isDue = false
  #found: string[] = []
  #isLate = false
  #hasReadLate = false

  constructor(world: World, topics: RetainedTopics, connect: (end: DeviceEnd) => DeviceLink | null) {
    const { random } = world
    this.#world = world
    this.#topics = topics
    this.#qos = random.pick([0, 1])
    this.#writer = new AskingClient(world, {
      ...{ id: 'writer', version: random.pick([4, 5]), connect },
      ask: () => this.#write(),
      hear: ({ cmd }) => cmd === 'puback' && this.#answered(),
    })
    const version = random.pick<4 | 5>([4, 5])
    this.#hasHandling = version === 5
    this.#reader = new AskingClient(world, {
      ...{ id: 'reader', version, connect },
      ask: (isNewConnection) => this.#read(isNewConnection),
      hear: (packet) => {
        if (packet.cmd === 'suback') this.#reader.answered()
        else if (packet.cmd === 'publish') this.#received(packet)
      },
    })
  }

  /** A reader that came after the last message has got what it should. */
  get isDone(): boolean {
    return this.#hasReadLate
  }

  #write(): void {
    const [next] = this.#left
    if (next === undefined) return
    const { random, faults } = this.#world
    const name = faults.isOn ? random.pick(RETAINED_NAMES) : next
    this.#written = { name, process: this.#topics.process }
    const payload = this.#topics.write(name, random.chance(CLEARS))
    this.#writer.ask({
      ...{ cmd: 'publish', topic: name, payload, qos: 1, messageId: 1, dup: false, retain: true },
    })
  }

  #answered(): void {
    const { name, process } = this.#written
    this.#writer.answered()
    this.#topics.answered(name, process)
    if (!this.#world.faults.isOn) this.#left = this.#left.filter((each) => each !== name)
  }

  /** Judges its last subscription, and subscribes again, on this connection or the next. */
  #read(isNewConnection: boolean): void {
    const { random } = this.#world
    if (isNewConnection) this.#first = null
    else if (this.#reader.isSound && this.#last !== null) {
      this.#topics.judge(this.#last, this.#isDue, this.#found)
      this.#hasReadLate ||= this.#isLate
    }
    if (!this.#reader.isSound || (!isNewConnection && !random.chance(STAYS))) return this.#reader.leave()
    const rh = this.#hasHandling ? random.pick<0 | 1 | 2>([0, 0, 1, 2]) : 0
    this.#isDue = rh === 0 || (rh === 1 && this.#first === null)
    this.#isLate = this.#isDue && this.#left.length === 0
    this.#last = this.#topics.moment
    this.#first ??= this.#last
    this.#found = []
    const subscription = { topic: RETAINED_FILTER, qos: this.#qos, rh }
    this.#reader.ask({ cmd: 'subscribe', messageId: 1, subscriptions: [subscription] })
  }

  #received(packet: IPublishPacket): void {
    const { topic, messageId, retain } = packet
    if (packet.qos > 0) this.#reader.write({ cmd: 'puback', messageId: messageId ?? 0 })
    const moment = retain ? this.#last : this.#first
    if (moment === null) return
    this.#topics.received(moment, packet)
    if (retain) this.#found.push(topic)
  }
}
