import type { AddressInfo, Server } from 'node:net'
import { QsError } from '../../errors/qs-error.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  /** The setting to name if the port is in use. */
  readonly setting: string
}

/**
 * A 3.1.1 client chooses its keep-alive, and may choose none: TCP then finds out that it is gone, on Linux after about
 * 16 minutes. What a client has sent before it closes may still wait for the intake: the broker ends its own side.
 */
export const SOCKET_OPTIONS = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 300_000,
  allowHalfOpen: true,
}

/** @returns the port it listens on */
export function listen(server: Server, { host, port, setting }: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? inUse(error) : error)
    }
    const inUse = (cause: Error) =>
      new QsError('PORT_IN_USE', `Port ${port} on ${host} is in use (${setting})`, { cause })
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Works even if the server never listened. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
