import { type Packet, parser } from 'mqtt-packet'
import { Mqtt5Fault, REASON } from './reason-codes.ts'

/**
 * One whole packet, with a parser of its own: given a stream, mqtt-packet takes the bytes that a packet lacks
 * from the next one, and after an error goes on in the middle. Only for packets that are few.
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

/** A property that may be there once [MQTT 5, 2.2.2.2]; twice, mqtt-packet makes it an array. */
export function numberProperty(value: unknown, min: number): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && value >= min) return value
  throw new Mqtt5Fault(REASON.protocolError, 'a property with a value that it cannot have')
}
