import { Mqtt5Fault, REASON } from './reason-codes.ts'

/**
 * @returns the value and its end, or null if the bytes are incomplete
 * @throws Mqtt5Fault on a fifth byte [MQTT-1.5.5-1]
 */
export function readVariableByteInteger(
  bytes: Buffer,
  from: number,
): { readonly value: number; readonly end: number } | null {
  let value = 0
  for (let at = from; at < from + 4; at++) {
    const byte = bytes[at]
    if (byte === undefined) return null
    value += (byte & 0x7f) * 128 ** (at - from)
    if (byte < 0x80) return { value, end: at + 1 }
  }
  throw new Mqtt5Fault(REASON.malformedPacket, 'a length of more than four bytes')
}

/** Encoded size of the value in bytes. */
export function variableByteIntegerBytes(value: number): number {
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4
}
