import { generate, type Packet, parser } from 'mqtt-packet'
import type { DeviceEnd, DeviceLink } from './device-link.ts'
import type { World } from './world.ts'

export interface AskingClientOptions {
  readonly id: string
  readonly version: 4 | 5
  readonly connect: (end: DeviceEnd) => DeviceLink | null
  /** It is connected and waits for nothing. */
  readonly ask: (isNewConnection: boolean) => void
  readonly hear: (packet: Packet) => void
}

const LOOK_MS = 1_000
const ANSWER_MS = 8_000

/** A client of `qs up` without a session of its own, which asks for one thing at a time and connects again when lost. */
export class AskingClient {
  readonly #world: World
  readonly #options: AskingClientOptions
  #link: DeviceLink | null = null
  #isNew = false
  #askedMs: number | null = null

  constructor(world: World, options: AskingClientOptions) {
    this.#world = world
    this.#options = options
    const { timeline, random } = world
    const tick = () => {
      this.#look()
      timeline.after(LOOK_MS * (0.5 + random.next()), tick)
    }
    timeline.after(random.next() * LOOK_MS, tick)
  }

  /** No fault has touched its connection. */
  get isSound(): boolean {
    return this.#link?.isSound === true
  }

  /** Sends a packet that gets an answer. */
  ask(packet: Packet): void {
    this.#askedMs = this.#world.timeline.nowMs
    this.write(packet)
  }

  /** The answer has come. */
  answered(): void {
    this.#askedMs = null
  }

  write(packet: Packet): void {
    this.#link?.send(generate(packet, { protocolVersion: this.#options.version }))
  }

  leave(): void {
    this.#link?.close()
    this.#link = null
  }

  #look(): void {
    if (this.#link === null) return this.#connect()
    if (this.#askedMs === null) {
      const isNew = this.#isNew
      this.#isNew = false
      this.#options.ask(isNew)
    } else if (this.#world.timeline.nowMs - this.#askedMs > ANSWER_MS) this.leave()
  }

  #connect(): void {
    const { id, version, connect, hear } = this.#options
    const reader = parser({ protocolVersion: version })
    const link = connect({
      onBytes: (bytes) => reader.parse(bytes),
      onClose: () => {
        if (this.#link === link) this.#link = null
      },
    })
    reader.on('packet', (packet) => {
      if (this.#link !== link) return
      if (packet.cmd === 'connack') this.answered()
      else hear(packet)
    })
    this.#link = link
    this.#isNew = true
    this.ask({
      ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: version },
      ...{ clientId: id, clean: true, keepalive: 0 },
    })
  }
}
