import type { Socket } from 'node:net'

/** Bytes, or the signal that the sender has ended or reset the connection. */
type Cargo = Buffer | 'end' | 'reset'

export type LaneState = 'flowing' | 'held' | 'lost'

/**
 * One direction of a TCP connection through the proxy, always in order.
 *
 * States: flowing; held, where nothing passes and nothing is lost, since bytes wait in kernel buffers as they do while
 * packets are dropped; lost, where bytes are discarded and the other end gets nothing, including the end of the stream.
 * Lost is final, so that no byte is ever missing within a stream.
 */
export class Lane {
  readonly #from: Socket
  readonly #to: Socket
  readonly #onBytes: (bytes: Buffer) => void
  readonly #late: { readonly cargo: Cargo; readonly dueMs: number }[] = []
  #timer: NodeJS.Timeout | undefined
  #state: LaneState = 'held'
  #delayMs = 0
  #credit = Number.POSITIVE_INFINITY

  /** Starts held; `from` must be paused. */
  constructor(from: Socket, to: Socket, onBytes: (bytes: Buffer) => void) {
    this.#from = from
    this.#to = to
    this.#onBytes = onBytes
    from.on('data', (bytes: Buffer) => this.#take(bytes))
    from.on('end', () => this.#take('end'))
    from.on('close', (wasReset) => wasReset && this.#take('reset'))
    to.on('drain', () => this.#read())
  }

  get state(): LaneState {
    return this.#state
  }

  hold(): void {
    if (this.#state === 'lost') return
    this.#state = 'held'
    this.#from.pause()
  }

  /** Passes held bytes first, then new ones with `delayMs`; holds again after `maxBytes`. */
  flow({
    delayMs = 0,
    maxBytes = Number.POSITIVE_INFINITY,
  }: {
    readonly delayMs?: number
    readonly maxBytes?: number
  }): void {
    if (this.#state === 'lost') return
    this.#state = 'flowing'
    this.#delayMs = delayMs
    this.#credit = maxBytes
    this.#giveDue()
    this.#read()
  }

  lose(): void {
    this.#state = 'lost'
    clearTimeout(this.#timer)
    this.#late.length = 0
    this.#from.resume()
  }

  #take(cargo: Cargo): void {
    if (this.#state === 'lost') return
    if (this.#state === 'flowing' && this.#delayMs === 0 && this.#late.length === 0) return this.#give(cargo)
    this.#late.push({ cargo, dueMs: performance.now() + this.#delayMs })
    if (this.#late.length === 1) this.#arm()
  }

  #arm(): void {
    const [first] = this.#late
    if (first === undefined || this.#state !== 'flowing') return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#giveDue(), first.dueMs - performance.now())
  }

  #giveDue(): void {
    while (
      this.#state === 'flowing' &&
      (this.#late[0]?.dueMs ?? Number.POSITIVE_INFINITY) <= performance.now()
    ) {
      this.#give((this.#late.shift() as { cargo: Cargo }).cargo)
    }
    this.#arm()
  }

  #give(cargo: Cargo): void {
    if (cargo === 'end') this.#to.end()
    else if (cargo === 'reset') this.#to.resetAndDestroy()
    else {
      this.#onBytes(cargo)
      if (!this.#to.write(cargo)) this.#from.pause()
      this.#credit -= cargo.length
      if (this.#credit <= 0) this.hold()
    }
  }

  #read(): void {
    if (this.#state === 'flowing' && !this.#to.writableNeedDrain) this.#from.resume()
  }
}
