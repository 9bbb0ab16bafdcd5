import type { Frames } from './frames.ts'
import type { Qos } from './packet-types.ts'
import { ALLOWED, PROPERTY, readProperties } from './properties.ts'
import { Reader } from './reader.ts'
import { ProtocolFault, REASON } from './reasons.ts'

/** One entry of SUBSCRIBE [MQTT 5, 3.8.3]. */
export interface Asked {
  readonly filter: string
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  /** 0: send retained messages; 1: only for a new subscription; 2: never. */
  readonly retainHandling: 0 | 1 | 2
}

export interface Subscribe {
  readonly packetId: number
  readonly identifier: number | null
  readonly asked: readonly Asked[]
}

export interface Unsubscribe {
  readonly packetId: number
  readonly filters: readonly string[]
}

/**
 * Each filter is checked against the rights of the client and compared with all retained messages. Home Assistant sends up
 * to 500 in one packet.
 */
const MAX_FILTERS = 1_000

/** @throws ProtocolFault */
export function readSubscribe({ bytes, bodyStart, end }: Frames, hasProperties: boolean): Subscribe {
  const reader = new Reader(bytes, bodyStart, end)
  const packetId = readPacketId(reader)
  let identifier: number | null = null
  if (hasProperties) {
    const { numbers } = readProperties(reader, ALLOWED.subscribe)
    identifier = numbers.get(PROPERTY.subscriptionIdentifier) ?? null
    // [3.8.2.1.2]
    if (identifier === 0) throw new ProtocolFault(REASON.protocolError, 'a subscription identifier of 0')
  }
  const asked: Asked[] = []
  while (!reader.isAtEnd) {
    checkCount(asked.length)
    asked.push(readAsked(reader, hasProperties))
  }
  // [MQTT-3.8.3-2]
  if (asked.length === 0) throw new ProtocolFault(REASON.protocolError, 'SUBSCRIBE without a filter')
  return { packetId, identifier, asked }
}

function readAsked(reader: Reader, hasOptions: boolean): Asked {
  const filter = reader.string()
  const options = reader.uint8()
  const qos = options & 3
  const retainHandling = (options >> 4) & 3
  // [MQTT-3.8.3-5]; [MQTT-3-8.3-4] of 3.1.1
  const isReserved = hasOptions ? (options & 0xc0) !== 0 || retainHandling === 3 : (options & 0xfc) !== 0
  if (qos === 3 || isReserved)
    throw new ProtocolFault(REASON.malformedPacket, 'reserved options in SUBSCRIBE')
  return {
    ...{ filter, qos: qos as Qos, retainHandling: retainHandling as 0 | 1 | 2 },
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
  }
}

/** @throws ProtocolFault */
export function readUnsubscribe({ bytes, bodyStart, end }: Frames, hasProperties: boolean): Unsubscribe {
  const reader = new Reader(bytes, bodyStart, end)
  const packetId = readPacketId(reader)
  if (hasProperties) readProperties(reader, ALLOWED.unsubscribe)
  const filters: string[] = []
  while (!reader.isAtEnd) {
    checkCount(filters.length)
    filters.push(reader.string())
  }
  // [MQTT-3.10.3-2]
  if (filters.length === 0) throw new ProtocolFault(REASON.protocolError, 'UNSUBSCRIBE without a filter')
  return { packetId, filters }
}

function checkCount(count: number): void {
  if (count === MAX_FILTERS)
    throw new ProtocolFault(REASON.quotaExceeded, `a packet with more than ${MAX_FILTERS} topic filters`)
}

function readPacketId(reader: Reader): number {
  const packetId = reader.uint16()
  if (packetId === 0) throw new ProtocolFault(REASON.malformedPacket, 'a packet identifier of 0')
  return packetId
}
