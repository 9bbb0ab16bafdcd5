import type { Link } from '../../packages/qs/src/broker/link.ts'
import { Pipe } from './pipe.ts'
import { GOODBYE } from './wills.ts'
import type { Item } from './workload.ts'
import type { World } from './world.ts'

/** The device's side of a connection. */
export interface DeviceEnd {
  onBytes(bytes: Buffer): void
  onClose(): void
}

/** The broker's side, as its socket calls it. */
export interface ServerEnd {
  receive(bytes: Buffer): void
  drained(): void
  /** The connection is closed, by either side. */
  onClose(): void
}

const CONNACK = 0x20

/**
 * A TCP connection between a device and `qs up`, with the faults of `Link`. Its server side is the network under a
 * `ClientConnection`: while that is paused, what arrives waits and comes in one read afterwards, and it learns of the
 * device's FIN only then.
 */
export class DeviceLink implements Link {
  readonly name: string
  readonly address = '192.0.2.1'
  taken = 0
  waitingBytes = 0
  /** No fault has touched it. */
  isSound = true
  /** Of the CONNECT on it; null: none. */
  readonly will: Item | null
  /** The server has accepted the CONNECT. */
  #isWelcome = false
  /** The server has read a goodbye, and did not end it itself before. */
  #hasGoodbye = false
  #isEnding = false
  readonly #world: World
  /** Whether the network takes what is written only after some time. */
  readonly #isSlow: boolean
  readonly #toServer: Pipe
  readonly #toDevice: Pipe
  #device: DeviceEnd | null
  #server: ServerEnd | null = null
  #unread: Buffer[] = []
  #isPaused = false
  #hasFin = false

  constructor(
    name: string,
    world: World,
    { device, will }: { readonly device: DeviceEnd; readonly will: Item | null },
  ) {
    this.name = name
    this.will = will
    this.#world = world
    this.#device = device
    this.#isSlow = world.random.chance(0.2)
    this.#toServer = new Pipe(world, (bytes) => this.#arrived(bytes))
    this.#toDevice = new Pipe(world, (bytes) => this.#device?.onBytes(bytes))
  }

  /** Once the server side has ended: the server has to publish this will. */
  get dueWill(): Item | null {
    return this.#isWelcome && !this.#hasGoodbye ? this.will : null
  }

  accept(server: ServerEnd): void {
    this.#server = server
  }

  /** The device sends. */
  send(bytes: Buffer): void {
    this.#toServer.write(bytes)
  }

  /** The device closes it. */
  close(): void {
    this.#device = null
    this.#toServer.end(() => {
      this.#hasFin = true
      this.#read()
    })
  }

  write(bytes: Buffer): boolean {
    if (this.#server === null) return false
    // CONNACK comes first, and its fourth byte says whether it is a refusal.
    if (bytes[0] === CONNACK) this.#isWelcome ||= bytes[3] === 0
    this.#toDevice.write(bytes)
    if (!this.#isSlow) {
      this.taken += bytes.length
      return true
    }
    this.waitingBytes += bytes.length
    const { timeline, random, faults } = this.#world
    timeline.after(faults.latencyMs * random.next(), () => {
      this.waitingBytes -= bytes.length
      this.taken += bytes.length
      this.#server?.drained()
    })
    return false
  }

  pause(): void {
    this.#isPaused = true
  }

  opened(): void {}

  resume(): void {
    this.#isPaused = false
    this.#world.timeline.after(0, () => this.#read())
  }

  /** The server closes it: everything written before arrives. */
  end(): void {
    this.#isEnding = true
    this.#toDevice.end(() => this.#closeDevice())
    this.#world.timeline.after(0, () => this.#closeServer())
  }

  destroy(): void {
    this.end()
  }

  /** The process of the server is dead, and its kernel closes the connection. */
  serverDied(): void {
    this.#server = null
    this.#toDevice.end(() => this.#closeDevice())
  }

  /** Both ends learn of it, each in its own time. */
  cut(): void {
    this.cutNear()
    this.cutFar()
  }

  /** Only the server learns of it. */
  cutNear(): void {
    const ms = this.#break()
    this.#world.timeline.after(ms, () => this.#closeServer())
  }

  /** Only the device learns of it. */
  cutFar(): void {
    const ms = this.#break()
    this.#world.timeline.after(ms, () => this.#closeDevice())
  }

  /** Nothing passes for this long, then everything. */
  blackHole(ms: number): void {
    this.isSound = false
    this.#toServer.holdFor(ms)
    this.#toDevice.holdFor(ms)
  }

  /** @returns when the first of both directions is dead */
  #break(): number {
    const { random } = this.#world
    const ms = random.next() * 20
    this.isSound = false
    this.#toServer.dieAfter(ms)
    this.#toDevice.dieAfter(random.next() * 20)
    return ms
  }

  #arrived(bytes: Buffer): void {
    this.#unread.push(bytes)
    this.#read()
  }

  /** One read of the socket takes everything that waits. */
  #read(): void {
    if (this.#isPaused) return
    const bytes = Buffer.concat(this.#unread.splice(0))
    if (this.#server !== null && !this.#isEnding) this.#hasGoodbye ||= bytes.subarray(-2).equals(GOODBYE)
    // A buffer of its own, as that of a socket: it stays in memory as long as one of its messages.
    if (bytes.length > 0)
      this.#server?.receive(
        Buffer.from(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
      )
    if (this.#hasFin && !this.#isPaused) this.#closeServer()
  }

  #closeServer(): void {
    const server = this.#server
    this.#server = null
    server?.onClose()
  }

  #closeDevice(): void {
    const device = this.#device
    this.#device = null
    device?.onClose()
  }
}
