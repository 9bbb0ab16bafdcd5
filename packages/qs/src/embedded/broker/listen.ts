import type { AddressInfo, Server } from 'node:net'

export interface ListenOptions {
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  /** The setting to name if the port is in use. */
  readonly setting: string
}

/** @returns the port it listens on */
export function listen(server: Server, { host, port, setting }: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? inUse(error) : error)
    }
    const inUse = (cause: Error) =>
      new Error(
        `port ${port} on ${host} is in use. Set ${setting} to a free port, or stop the program that uses it.`,
        {
          cause,
        },
      )
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
