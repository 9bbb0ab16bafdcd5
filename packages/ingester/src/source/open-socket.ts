import { readFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ConnectionError } from './errors.ts'

export interface SocketOptions {
  /** mqtt://host:port or mqtts://host:port */
  readonly url: string
  /** PEM file of the authority to trust, where it is not a public one. */
  readonly caFile: string | null
  readonly timeoutMs: number
}

/** @throws ConnectionError; always retryable, as hosts and networks come and go */
export function openSocket({ url, caFile, timeoutMs }: SocketOptions): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isTls = protocol === 'mqtts:'
  return new Promise((resolve, reject) => {
    const socket = isTls
      ? connectTls({
          host,
          port: Number(port || 8883),
          servername: host,
          ...(caFile !== null && { ca: readFileSync(caFile) }),
        })
      : connectTcp({ host, port: Number(port || 1883) })
    const fail = (reason: string) => {
      socket.destroy()
      reject(new ConnectionError(`No connection to ${host}:${port || (isTls ? 8883 : 1883)}: ${reason}`))
    }
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs)
    socket.once('error', (error) => fail(error.message))
    socket.once('close', () => clearTimeout(timer))
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      socket.setNoDelay(true)
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}
