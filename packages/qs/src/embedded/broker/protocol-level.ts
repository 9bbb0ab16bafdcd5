import type { Duplex } from 'node:stream'

const CONNECT = 0x10

/**
 * The protocol level of a CONNECT [3.1.2.2]: 3 and 4 are MQTT 3.1 and 3.1.1, 5 is MQTT 5.
 *
 * @param bytes the first bytes of a connection
 * @returns null: not a CONNECT; undefined: too few bytes
 */
export function protocolLevel(bytes: Buffer): number | null | undefined {
  if (bytes.length > 0 && bytes[0] !== CONNECT) return null
  const lengthEnd = bytes.subarray(1, 5).findIndex((byte) => byte < 0x80)
  if (lengthEnd < 0) return bytes.length < 5 ? undefined : null
  const nameStart = 2 + lengthEnd + 2
  if (bytes.length < nameStart) return undefined
  const nameLength = bytes.readUInt16BE(nameStart - 2)
  // 'MQTT', and 'MQIsdp' of MQTT 3.1.
  return nameLength === 4 || nameLength === 6 ? bytes[nameStart + nameLength] : null
}

/**
 * Reads a connection until its protocol level is known, pushes the bytes back and hands the connection over as if
 * unread.
 *
 * @param handOver not called if the connection ends before
 */
export function whenProtocolIsKnown(connection: Duplex, handOver: (level: number | null) => void): void {
  let first = Buffer.alloc(0)
  const look = () => {
    for (let chunk = connection.read(); chunk !== null; chunk = connection.read()) {
      first = Buffer.concat([first, chunk])
      const level = protocolLevel(first)
      if (level === undefined) continue
      stop()
      connection.unshift(first)
      handOver(level)
      connection.off('error', destroy)
      return
    }
  }
  const destroy = () => connection.destroy()
  const stop = () => connection.off('readable', look).off('end', destroy).off('close', stop)
  connection.on('readable', look).on('end', destroy).on('close', stop).on('error', destroy)
}
