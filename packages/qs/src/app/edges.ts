import { type ConnectOptions, connect } from '../database/connect.ts'
import type { ServerSession } from '../database/server-session.ts'
import { type Clock, SystemClock } from '../pipeline/clock.ts'
import type { Connection } from '../sink/connection.ts'
import { openSocket } from '../source/open-socket.ts'
import type { OpenSocket } from '../source/source.ts'

/** The external dependencies of the pipeline: everything not determined by its settings and its input. */
export interface Edges {
  readonly openSocket: OpenSocket
  readonly connect: (options: ConnectOptions) => Promise<Connection>
  readonly clock: Clock
  /** A number in [0, 1). */
  readonly random: () => number
}

/** Ports of 127.0.0.1 that lead to broker and database through a proxy that injects faults. */
export interface Detours {
  readonly broker: number
  readonly database: number
}

export function realEdges(detours?: Detours): Edges {
  const ended = new Set<ServerSession>()
  return {
    openSocket: (options) => openSocket({ ...options, ...(detours && { detourPort: detours.broker }) }),
    connect: (options) => connect({ ...options, ...(detours && { detourPort: detours.database }) }, ended),
    clock: new SystemClock(),
    random: Math.random,
  }
}
