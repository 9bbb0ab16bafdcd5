import { type Duplex, duplexPair } from 'node:stream'

const ends = new WeakSet<object>()

/** Whether it is an end of such a connection: nobody outside of this process can have one. */
export function isInProcess(connection: object): boolean {
  return ends.has(connection)
}

/**
 * A connection without a network: what one end writes, the other reads, with the pressure of a socket. Node ends the
 * other side of a pair only in good order, a socket in any case.
 */
export function inProcessConnection(): readonly [client: Duplex, broker: Duplex] {
  const [client, broker] = duplexPair()
  client.once('close', () => broker.destroy())
  broker.once('close', () => client.destroy())
  for (const end of [client, broker]) ends.add(end)
  return [client, broker]
}
