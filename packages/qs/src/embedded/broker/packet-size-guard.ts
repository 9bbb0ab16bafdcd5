import type { Duplex } from 'node:stream'

export class PacketTooLarge extends Error {
  readonly bytes: number

  constructor(bytes: number, maxBytes: number) {
    super(`a packet of ${bytes} bytes, above the limit of ${maxBytes}`)
    this.name = 'PacketTooLarge'
    this.bytes = bytes
  }
}

export interface PacketLimits {
  /** Limit of the first packet, CONNECT, which any client may send. */
  readonly maxFirstBytes: number
  readonly maxPacketBytes: number
}

/**
 * Follows the fixed headers of an MQTT stream [MQTT-2.1.1]: type, then the remaining length in up to four bytes. It
 * knows the size of a packet from its first bytes, before the rest is buffered.
 */
export class PacketSizes {
  readonly #limits: PacketLimits
  #bodyLeft = 0
  /** Packets received completely. */
  #packets = 0
  #headerBytes = 0
  #length = 0

  constructor(limits: PacketLimits) {
    this.#limits = limits
  }

  /** Whether the first packet is complete. */
  get isPastFirst(): boolean {
    return this.#packets > 0
  }

  get maxBytes(): number {
    return this.isPastFirst ? this.#limits.maxPacketBytes : this.#limits.maxFirstBytes
  }

  /** @returns the size of a packet above the limit that begins in this chunk, or null */
  oversized(chunk: Buffer): number | null {
    for (let at = 0; at < chunk.length; ) {
      if (this.#bodyLeft > 0) {
        const skipped = Math.min(this.#bodyLeft, chunk.length - at)
        this.#bodyLeft -= skipped
        at += skipped
        if (this.#bodyLeft === 0) this.#packets++
        continue
      }
      const size = this.#header(chunk[at++] as number)
      if (size === null) continue
      if (size > this.maxBytes) return size
      if (this.#bodyLeft === 0) this.#packets++
    }
    return null
  }

  /** @returns the size of the whole packet, at the last byte of its header */
  #header(byte: number): number | null {
    this.#headerBytes++
    if (this.#headerBytes === 1) return null
    this.#length += (byte & 0x7f) * 128 ** (this.#headerBytes - 2)
    // A fifth length byte is malformed [MQTT-1.5.5]; the codec behind this guard closes the connection for it.
    if (byte & 0x80 && this.#headerBytes < 5) return null
    const size = this.#headerBytes + this.#length
    this.#bodyLeft = this.#length
    this.#headerBytes = 0
    this.#length = 0
    return size
  }
}

/**
 * Stops reading from a connection that announces a packet above the limit. aedes has no limit and would buffer up to
 * 256 MB for any client, even without a password. It consumes bytes with `read()`, so the guard wraps that; another
 * stream in between would cost every packet a copy and a turn of the event loop.
 */
export function guardPacketSize(
  connection: Duplex,
  limits: PacketLimits,
  {
    refuse,
    onFirstPacket,
  }: {
    /** Closes the connection. */
    readonly refuse: (error: PacketTooLarge) => void
    readonly onFirstPacket: () => void
  },
): void {
  const sizes = new PacketSizes(limits)
  const read = connection.read.bind(connection)
  connection.read = (size?: number) => {
    const chunk = read(size) as Buffer | null
    if (chunk === null) return null
    const wasPastFirst = sizes.isPastFirst
    const bytes = sizes.oversized(chunk)
    if (!wasPastFirst && sizes.isPastFirst) onFirstPacket()
    if (bytes === null) return chunk
    refuse(new PacketTooLarge(bytes, sizes.maxBytes))
    return null
  }
}
