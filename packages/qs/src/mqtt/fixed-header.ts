const MAX_DIGITS = 4

/** `incomplete`: it goes on behind the bytes. `malformed`: a length of more than four bytes [MQTT-1.5.5-1]. */
export type HeaderState = 'complete' | 'incomplete' | 'malformed'

/** Reads where packets begin and end; one object for all packets of a stream. */
export class FixedHeader {
  /** Bytes behind the header. */
  length = 0
  bodyStart = 0

  /** Reads the header of the packet that begins at `start`. */
  read(bytes: Buffer, start: number): HeaderState {
    this.length = 0
    for (let digit = 0; digit < MAX_DIGITS; digit++) {
      const byte = bytes[start + 1 + digit]
      if (byte === undefined) return 'incomplete'
      this.length |= (byte & 0x7f) << (7 * digit)
      if (byte < 0x80) {
        this.bodyStart = start + 2 + digit
        return 'complete'
      }
    }
    return 'malformed'
  }
}
