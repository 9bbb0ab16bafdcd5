import type { Frames } from './frames.ts'
import { ALLOWED, NO_PROPERTIES, PROPERTY, readProperties } from './properties.ts'
import { Reader } from './reader.ts'
import { ProtocolFault, REASON } from './reasons.ts'

export interface Disconnect {
  readonly reason: number
  /** A changed session expiry. */
  readonly expirySeconds: number | undefined
}

/** The packet identifier of PUBACK to PUBCOMP. @throws ProtocolFault */
export function answeredId({ bytes, bodyStart, end }: Frames): number {
  if (end - bodyStart < 2) throw new ProtocolFault(REASON.malformedPacket, 'an answer without its identifier')
  return bytes.readUInt16BE(bodyStart)
}

/** The reason code of PUBACK to PUBCOMP; without one it is success [3.4.2.1]. @throws ProtocolFault */
export function answerReason({ bytes, bodyStart, end }: Frames, hasProperties: boolean): number {
  const length = end - bodyStart
  if (length === 2) return REASON.success
  if (!hasProperties)
    throw new ProtocolFault(REASON.malformedPacket, 'an answer with more than its identifier')
  const reader = new Reader(bytes, bodyStart + 2, end)
  const reason = reader.uint8()
  if (!reader.isAtEnd) readProperties(reader, ALLOWED.answer)
  assertEnd(reader, 'an answer')
  return reason
}

/** @throws ProtocolFault */
export function readDisconnect({ bytes, bodyStart, end }: Frames, hasProperties: boolean): Disconnect {
  const reader = new Reader(bytes, bodyStart, end)
  if (reader.isAtEnd) return { reason: REASON.success, expirySeconds: undefined }
  if (!hasProperties) throw new ProtocolFault(REASON.malformedPacket, 'DISCONNECT with a body')
  const reason = reader.uint8()
  const { numbers } = reader.isAtEnd ? NO_PROPERTIES : readProperties(reader, ALLOWED.disconnect)
  assertEnd(reader, 'DISCONNECT')
  const seconds = numbers.get(PROPERTY.sessionExpiry)
  return { reason, expirySeconds: seconds === 0xffff_ffff ? Number.POSITIVE_INFINITY : seconds }
}

function assertEnd(reader: Reader, what: string): void {
  if (!reader.isAtEnd) throw new ProtocolFault(REASON.malformedPacket, `${what} with more than its fields`)
}
