import { type Packet, parser } from 'mqtt-packet'
import { Mqtt5Fault, REASON } from './reason-codes.ts'

/**
 * Decodes one complete packet with a new parser: on a stream, mqtt-packet takes missing bytes of a packet from the next
 * one, and after an error continues in the middle. Only for infrequent packets.
 *
 * @throws Mqtt5Fault
 */
export function decode(frame: Buffer): Packet {
  const reader = parser({ protocolVersion: 5 })
  const packets: Packet[] = []
  reader.on('packet', (packet) => packets.push(packet))
  reader.on('error', (error: Error) => {
    throw error
  })
  try {
    reader.parse(frame)
  } catch (error) {
    throw new Mqtt5Fault(REASON.malformedPacket, `malformed packet: ${(error as Error).message}`)
  }
  const [packet] = packets
  if (packet === undefined) throw new Mqtt5Fault(REASON.malformedPacket, 'malformed packet')
  return packet
}

/** A property that may occur once [MQTT 5, 2.2.2.2]; mqtt-packet turns a repeated one into an array. */
export function numberProperty(value: unknown, min: number): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && value >= min) return value
  throw new Mqtt5Fault(REASON.protocolError, 'a property with an invalid value')
}
