import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { brokerPlace } from '@qs-telemetry/protocol'
import { readAuthority } from '../config/read-authority.ts'
import { QsError } from '../errors/qs-error.ts'

export interface SocketOptions {
  /** mqtt://host:port or mqtts://host:port */
  readonly url: string
  /** PEM file of the authority to trust, if it is not a public one. */
  readonly caFile: string | null
  /** A port of 127.0.0.1 to connect to instead; certificates are still checked for the host of the URL. */
  readonly detourPort?: number
  readonly timeoutMs: number
  /** Aborts the attempt. */
  readonly signal: AbortSignal
}

/** @throws QsError BROKER_UNREACHABLE, or SETTINGS_WRONG if MQTT_CA_FILE cannot be read */
export function openSocket({ url, caFile, detourPort, timeoutMs, signal }: SocketOptions): Promise<Socket> {
  const { protocol, host, port } = brokerPlace(url)
  const isTls = protocol === 'mqtts'
  const address = detourPort === undefined ? { host, port } : { host: '127.0.0.1', port: detourPort }
  const ca = isTls && caFile !== null ? { ca: readAuthority(caFile) } : {}
  return new Promise((resolve, reject) => {
    const socket = isTls ? connectTls({ ...address, ...ca, servername: host }) : connectTcp(address)
    const fail = (reason: string) => {
      settle()
      socket.destroy()
      reject(
        new QsError(
          'BROKER_UNREACHABLE',
          `No connection to the broker at ${host}:${address.port}: ${reason}`,
        ),
      )
    }
    const onAbort = () => fail('stopped')
    const onError = (error: Error) => fail(error.message)
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs)
    const settle = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError)
      // Late errors of an abandoned socket do not matter, but without a listener they would end the process.
      socket.on('error', () => {})
    }
    signal.addEventListener('abort', onAbort)
    socket.once('error', onError)
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      settle()
      socket.setNoDelay(true)
      resolve(socket)
    })
  })
}
