/**
 * The bytes of one read of a connection. They stay in memory until the last message of them is settled, so they count as
 * long, and once: 300 events may share them, or one event of 2 bytes may be all that needs them.
 */
export class PinnedRead {
  readonly buffer: ArrayBufferLike
  unsettled = 0

  constructor(buffer: ArrayBufferLike) {
    this.buffer = buffer
  }

  /** @returns bytes that now count */
  taken(): number {
    return this.unsettled++ === 0 ? this.buffer.byteLength : 0
  }

  /** @returns bytes that no longer count */
  settled(): number {
    return --this.unsettled === 0 ? this.buffer.byteLength : 0
  }
}

/** Twice what Node reads at once. */
const LARGE_BYTES = 128 * 1024

/** A small payload beside a large packet is copied: it would keep up to 16 MiB. */
export function withoutLargeRead(payload: Buffer): Buffer {
  const { byteLength } = payload.buffer
  if (byteLength <= LARGE_BYTES || payload.length * 4 > byteLength) return payload
  // Not from the pool, of which it would keep 8 KiB.
  const copy = Buffer.allocUnsafeSlow(payload.length)
  payload.copy(copy)
  return copy
}
