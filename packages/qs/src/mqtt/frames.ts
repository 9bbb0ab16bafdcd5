import { FixedHeader } from './fixed-header.ts'
import { PINGREQ } from './packet-types.ts'
import { PingCount } from './ping-count.ts'
import { ProtocolFault, REASON } from './reasons.ts'

/** A packet above the limit of the reader. */
export class PacketTooLarge extends ProtocolFault {
  constructor(bytes: number, maxBytes: number) {
    super(REASON.packetTooLarge, `a packet of ${bytes} bytes, above the limit of ${maxBytes}`)
    this.name = 'PacketTooLarge'
  }
}

/**
 * Splits a stream into packets without copying: the current packet is `bytes` from `start` to `end`, and its variable
 * header begins at `bodyStart`. A packet above `maxBytes` is refused at its fixed header, before its body is buffered.
 *
 * `hold` stops in the middle of a chunk and keeps the rest, for a login that takes time. `putBack` keeps the current
 * packet too, and reports the PINGREQs among what is kept, so that a client whose messages have to wait is not left
 * without an answer.
 */
export class Frames {
  readonly #onFrame: (frame: Frames) => void
  readonly #header = new FixedHeader()
  maxBytes: number
  bytes: Buffer = Buffer.alloc(0)
  start = 0
  bodyStart = 0
  end = 0
  /** The beginning of an incomplete packet, and the size at which it is worth looking at again. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #neededBytes = 0
  #isHeld = false
  #isPutBack = false
  #isFeeding = false
  /** While packets are put back: what to do at a PINGREQ among them. */
  #onPing: (() => void) | null = null
  #pings = new PingCount()
  #putBackBytes = 0
  /** PINGREQs among the kept packets that were reported; they are not handed on. */
  #reported = 0

  constructor(maxBytes: number, onFrame: (frame: Frames) => void) {
    this.maxBytes = maxBytes
    this.#onFrame = onFrame
  }

  /** Bytes of packets that are not handed on yet. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Of these, the bytes behind the packet that was put back. */
  get bytesBehind(): number {
    return this.#waitingBytes - this.#putBackBytes
  }

  hold(): void {
    this.#isHeld = true
    this.#onPing = null
  }

  /** To be called while a packet is handed on: it comes again after `release`. */
  putBack(onPing: () => void): void {
    this.#isHeld = true
    this.#isPutBack = true
    this.#putBackBytes = this.end - this.start
    this.#onPing = onPing
  }

  /** @throws ProtocolFault */
  release(): void {
    this.#isHeld = false
    this.#onPing = null
    if (!this.#isFeeding && this.#waitingBytes > 0) this.#split(this.#joined())
  }

  /** @throws ProtocolFault if the bytes are not MQTT; nothing can be read after it */
  feed(chunk: Buffer): void {
    if (this.#waitingBytes === 0 && !this.#isHeld) return this.#split(chunk)
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    this.#report(this.#onPing === null ? 0 : this.#pings.add(chunk))
    if (!this.#isHeld && this.#waitingBytes >= this.#neededBytes) this.#split(this.#joined())
  }

  #joined(): Buffer {
    const [only] = this.#waiting
    const bytes =
      this.#waiting.length === 1 && only !== undefined
        ? only
        : Buffer.concat(this.#waiting, this.#waitingBytes)
    this.#waiting = []
    this.#waitingBytes = 0
    return bytes
  }

  #split(bytes: Buffer): void {
    this.#isFeeding = true
    try {
      this.#each(bytes)
    } finally {
      this.#isFeeding = false
    }
  }

  #each(bytes: Buffer): void {
    let start = 0
    while (start < bytes.length) {
      if (this.#isHeld) return this.#keep(bytes.subarray(start), 0)
      const state = this.#header.read(bytes, start)
      if (state === 'incomplete') return this.#keep(bytes.subarray(start), 0)
      if (state === 'malformed')
        throw new ProtocolFault(REASON.malformedPacket, 'a length of more than four bytes')
      const { bodyStart, length } = this.#header
      const end = bodyStart + length
      this.bytes = bytes
      this.start = start
      this.bodyStart = bodyStart
      this.end = Math.min(end, bytes.length)
      if (end - start > this.maxBytes) throw new PacketTooLarge(end - start, this.maxBytes)
      if (end > bytes.length) return this.#keep(bytes.subarray(start), end - start)
      if (this.#reported > 0 && bytes[start] === PINGREQ << 4 && length === 0) this.#reported--
      else this.#onFrame(this)
      if (this.#isPutBack) this.#isPutBack = false
      else start = end
    }
    this.bytes = NOTHING
  }

  #keep(rest: Buffer, neededBytes: number): void {
    this.bytes = NOTHING
    this.#waiting = [rest]
    this.#waitingBytes = rest.length
    this.#neededBytes = neededBytes
    if (this.#onPing === null) return
    this.#pings = new PingCount()
    // Those reported before are the first of them.
    this.#report(this.#pings.add(rest) - this.#reported)
  }

  #report(pings: number): void {
    this.#reported += pings
    for (let n = 0; n < pings; n++) this.#onPing?.()
  }
}

const NOTHING = Buffer.alloc(0)
