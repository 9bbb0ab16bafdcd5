import { connect } from 'node:net'

export interface RawRequest {
  readonly method: string
  /** As in the request line, without any change. */
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface RawAnswer {
  readonly status: number
  /** Status line and headers. */
  readonly head: string
  readonly body: string
}

const TIMEOUT_MS = 30_000

/** A request over a socket: HTTP clients normalise requests and set the Host themselves. */
export function rawRequest(
  port: number,
  { method, target, headers = {}, body }: RawRequest,
): Promise<RawAnswer> {
  const payload = body === undefined ? '' : JSON.stringify(body)
  const lines = {
    host: `127.0.0.1:${port}`,
    connection: 'close',
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(payload)),
    }),
    ...headers,
  }
  const fields = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`)
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const finish = () => {
      const [head = '', ...rest] = text.split('\r\n\r\n')
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
      resolve({ status, head, body: rest.join('\r\n\r\n') })
      socket.destroy()
    }
    socket.setTimeout(TIMEOUT_MS, () => {
      socket.destroy()
      reject(new Error(`no answer to ${method} ${target}`))
    })
    socket.on('error', reject).on('end', finish)
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      // A stream has no end.
      if (text.includes('text/event-stream') && text.includes('\r\n\r\n')) finish()
    })
    socket.write(`${method} ${target} HTTP/1.1\r\n${fields.join('')}\r\n${payload}`)
  })
}
