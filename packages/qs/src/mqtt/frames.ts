import { FixedHeader } from './fixed-header.ts'
import { GatheredBytes } from './gathered-bytes.ts'
import { PINGREQ, PUBLISH } from './packet-types.ts'
import { PingCount } from './ping-count.ts'
import { ProtocolFault, REASON } from './reasons.ts'

/**
 * Of every packet other than PUBLISH, the only one with a payload: room for the longest topic filter and for properties. A
 * SUBSCRIBE of 1 MiB with filters of one character took 1.6 s, in which no other client was served.
 */
const MAX_OTHER_BYTES = 128 * 1024

/** A packet above the limit of the reader. */
export class PacketTooLarge extends ProtocolFault {
  constructor(bytes: number, maxBytes: number) {
    super(REASON.packetTooLarge, `a packet of ${bytes} bytes, above the limit of ${maxBytes}`)
    this.name = 'PacketTooLarge'
  }
}

/**
 * Splits a stream into packets without copying: the current packet is `bytes` from `start` to `end`, and its variable
 * header begins at `bodyStart`. A PUBLISH above `maxBytes`, or another packet above 128 KiB, is refused at its fixed
 * header, before its body is buffered.
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
  readonly #waiting = new GatheredBytes()
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
    return this.#waiting.length
  }

  /** Of these, the bytes behind the packet that was put back. */
  get bytesBehind(): number {
    return this.#waiting.length - this.#putBackBytes
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
    if (!this.#isFeeding && this.#waiting.length > 0) this.#split(this.#waiting.take())
  }

  /** @throws ProtocolFault if the bytes are not MQTT; nothing can be read after it */
  feed(chunk: Buffer): void {
    if (this.#waiting.length === 0 && !this.#isHeld) return this.#split(chunk)
    this.#waiting.add(chunk, this.#neededBytes)
    this.#report(this.#onPing === null ? 0 : this.#pings.add(chunk))
    if (!this.#isHeld && this.#waiting.length >= this.#neededBytes) this.#split(this.#waiting.take())
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
      this.#checkSize(end - start)
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
    this.#waiting.set(rest)
    this.#neededBytes = neededBytes
    if (this.#onPing === null) return
    this.#pings = new PingCount()
    // Those reported before are the first of them.
    this.#report(this.#pings.add(rest) - this.#reported)
  }

  #checkSize(bytes: number): void {
    const isPublish = (this.bytes[this.start] as number) >> 4 === PUBLISH
    const maxBytes = isPublish ? this.maxBytes : Math.min(this.maxBytes, MAX_OTHER_BYTES)
    if (bytes > maxBytes) throw new PacketTooLarge(bytes, maxBytes)
  }

  #report(pings: number): void {
    this.#reported += pings
    for (let n = 0; n < pings; n++) this.#onPing?.()
  }
}

const NOTHING = Buffer.alloc(0)
