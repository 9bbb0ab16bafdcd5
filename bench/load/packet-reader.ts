/** Type nibbles of the packets that a load generator receives [MQTT 3.1.1, table 2.1]. */
export const CONNACK = 2
export const PUBLISH = 3
export const PUBACK = 4
export const SUBACK = 9

/** `body` is what follows the fixed header; it is only valid during the call. */
export type OnPacket = (type: number, body: Buffer) => void

const NONE = Buffer.alloc(0)

/**
 * Splits a stream into MQTT packets without decoding them. There are two packets for each event, and the cost of a
 * general parser would distort the measurement.
 */
export class PacketReader {
  readonly #onPacket: OnPacket
  #rest: Buffer = NONE

  constructor(onPacket: OnPacket) {
    this.#onPacket = onPacket
  }

  feed(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let start = 0
    for (;;) {
      const body = bodyRange(bytes, start)
      if (body === null || body.end > bytes.length) break
      this.#onPacket((bytes[start] as number) >> 4, bytes.subarray(body.start, body.end))
      start = body.end
    }
    this.#rest = start === bytes.length ? NONE : bytes.subarray(start)
  }
}

/** Range of the body of the packet at `start`; null if its length is incomplete [MQTT 3.1.1, 2.2.3]. */
function bodyRange(bytes: Buffer, start: number): { readonly start: number; readonly end: number } | null {
  let length = 0
  for (let digit = 0; digit < 4; digit++) {
    const byte = bytes[start + 1 + digit]
    if (byte === undefined) return null
    length |= (byte & 0x7f) << (7 * digit)
    const bodyStart = start + 2 + digit
    if (byte < 0x80) return { start: bodyStart, end: bodyStart + length }
  }
  throw new Error('the broker sent a packet whose length has more than four digits')
}
