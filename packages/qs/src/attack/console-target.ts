import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { QsError } from '../errors/qs-error.ts'

export interface Request {
  readonly method?: string
  /** Sent unchanged in the request line. */
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Reads the whole answer; otherwise only the beginning, which shows its kind. */
  readonly isWhole?: true
  /** Longest silence. */
  readonly timeoutMs?: number
}

export interface Answer {
  /** 0: not a valid HTTP answer. */
  readonly status: number
  readonly head: string
  readonly body: string
}

const TIMEOUT_MS = 15_000
/** The first request starts the console's process, to which the ingester gives two minutes on a busy machine. */
const FIRST_TIMEOUT_MS = 125_000
const GLANCE_BYTES = 64 * 1024

/** The console over a raw socket: a client library would normalize the spellings under test. */
export class ConsoleTarget {
  readonly url: URL
  /** The session cookie, or null. */
  readonly #cookie: string | null

  private constructor(url: URL, cookie: string | null) {
    this.url = url
    this.#cookie = cookie
  }

  /** @returns null if nothing answers there */
  static async open(url: string): Promise<ConsoleTarget | null> {
    const target = new ConsoleTarget(new URL(url), null)
    const first = { target: '/api/session', timeoutMs: FIRST_TIMEOUT_MS }
    const answer = await target.ask(first).catch(() => null)
    return answer?.status === 200 ? target : null
  }

  async isLoginNeeded(): Promise<boolean> {
    const { body } = await this.ask({ target: '/api/session' })
    return (JSON.parse(body) as { loginNeeded: boolean }).loginNeeded
  }

  /** The same console with a session. @returns null if the password is wrong */
  async logIn(name: 'operator' | 'viewer', password: string): Promise<ConsoleTarget | null> {
    const { status, head } = await this.ask({
      method: 'POST',
      target: '/api/login',
      headers: { 'content-type': 'application/json', origin: this.url.origin },
      body: JSON.stringify({ name, password }),
    })
    const cookie = /^set-cookie: ([^;\r]+)/im.exec(head)?.[1]
    return status === 200 && cookie !== undefined ? new ConsoleTarget(this.url, cookie) : null
  }

  async ask(asked: Request): Promise<Answer> {
    const { method = 'GET', target, headers = {}, body = '', isWhole, timeoutMs = TIMEOUT_MS } = asked
    const all: Record<string, string> = {
      host: this.url.host,
      connection: 'close',
      ...(this.#cookie !== null && { cookie: this.#cookie }),
      ...(body !== '' && { 'content-length': String(Buffer.byteLength(body)) }),
      ...headers,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
    const request = [`${method} ${target} HTTP/1.1`, ...lines, '', body].join('\r\n')
    const text = await this.#exchange(request, {
      maxBytes: isWhole ? Number.POSITIVE_INFINITY : GLANCE_BYTES,
      timeoutMs,
    })
    const end = text.indexOf('\r\n\r\n')
    const head = end < 0 ? text : text.slice(0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
    return { status, head, body: unchunked(head, end < 0 ? '' : text.slice(end + 4)) }
  }

  #exchange(
    request: string,
    { maxBytes, timeoutMs }: { readonly maxBytes: number; readonly timeoutMs: number },
  ): Promise<string> {
    const { protocol, hostname, port } = this.url
    const host = hostname.replace(/^\[|\]$/g, '')
    const place = { host, port: Number(port || (protocol === 'https:' ? 443 : 80)) }
    const socket = protocol === 'https:' ? connectTls({ ...place, servername: host }) : connect(place)
    return new Promise((resolve, reject) => {
      let text = ''
      const done = () => {
        socket.destroy()
        resolve(text)
      }
      socket.setTimeout(timeoutMs, () =>
        socket.destroy(new QsError('CONSOLE_UNREACHABLE', `no answer within ${timeoutMs / 1000} s`)),
      )
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1')
        if (text.length > maxBytes) done()
      })
      socket.on('end', done)
      socket.on('error', reject)
      socket.write(request)
    })
  }
}

/** A body without chunked coding (RFC 9112, section 7.1), as far as received. */
function unchunked(head: string, body: string): string {
  if (!/^transfer-encoding: chunked/im.test(head)) return body
  let [rest, text] = [body, '']
  for (;;) {
    const line = /^([0-9a-f]+)\r\n/i.exec(rest)
    const size = Number.parseInt(line?.[1] ?? '0', 16)
    if (line === null || size === 0) return text
    text += rest.slice(line[0].length, line[0].length + size)
    rest = rest.slice(line[0].length + size + 2)
  }
}
