import { type Duplex, duplexPair } from 'node:stream'

const ends = new WeakSet<object>()

/** Whether it is an end of an in-process connection, which no outside client can have. */
export function isInProcess(connection: object): boolean {
  return ends.has(connection)
}

/**
 * A connection without a network: one end reads what the other writes, with backpressure like a socket. Node closes the
 * other end of a duplex pair only after a normal end; a socket closes in any case.
 */
export function inProcessConnection(): readonly [client: Duplex, broker: Duplex] {
  const [client, broker] = duplexPair()
  client.once('close', () => broker.destroy())
  broker.once('close', () => client.destroy())
  for (const end of [client, broker]) ends.add(end)
  return [client, broker]
}
