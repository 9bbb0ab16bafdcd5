import { type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import type { Place } from './console-process.ts'
import { PEER_HEADER, peerHeader } from './peer-header.ts'

/** A client that reads nothing for this long is gone, or deliberately holds resources. */
const DEAF_MS = 120_000
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])
/** Headers for one connection only (RFC 9110, 7.6.1). The framing of a body is written anew. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  PEER_HEADER,
])

/**
 * Forwards a request to the console and its answer back as streams: each side is read as fast as the other accepts
 * data, so a request of any size costs this process two socket buffers. Settles when the answer is sent or the client
 * has left, which may have happened before.
 *
 * @throws Error if the console ended before it answered
 */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { port, token, gone }: Place & { readonly gone: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (gone.aborted) return resolve()
    const peer = peerHeader(token, request.socket.remoteAddress ?? '')
    const onward = send({
      ...{
        host: '127.0.0.1',
        port,
        method: request.method,
        path: request.url,
        agent: false,
        setHost: false,
        signal: gone,
      },
      headers: [
        ...endToEnd(request.rawHeaders),
        ...[PEER_HEADER, peer, 'Connection', 'close'],
        ...framingOf(request),
      ],
    })
    gone.addEventListener('abort', () => resolve())
    // After the answer has begun, errors here are ignored: an early refusal need not read the rest of the body.
    onward.on('error', (error) => {
      if (!response.headersSent) reject(error)
    })
    onward.on('response', (answer) => {
      const { statusCode = 502, statusMessage, rawHeaders } = answer
      response.sendDate = false
      response.writeHead(statusCode, statusMessage, endToEnd(rawHeaders))
      passBody(answer, response)
    })
    request.pipe(onward)
  })
}

/**
 * Framing of the body for the console. Without a length, Node would send the missing body of a POST as chunked, and a
 * body without a type is answered with 415.
 */
function framingOf({ method = '', headers }: IncomingMessage): readonly string[] {
  if (headers['transfer-encoding'] !== undefined) return ['Transfer-Encoding', 'chunked']
  const isEmpty = headers['content-length'] === undefined && WITH_BODY.has(method)
  return isEmpty ? ['Content-Length', '0'] : []
}

function passBody(answer: IncomingMessage, response: ServerResponse): void {
  let deaf: NodeJS.Timeout | undefined
  answer.on('data', (piece: Buffer) => {
    if (response.write(piece)) return
    answer.pause()
    deaf = setTimeout(() => response.destroy(), DEAF_MS)
  })
  response.on('drain', () => {
    clearTimeout(deaf)
    answer.resume()
  })
  response.on('close', () => clearTimeout(deaf))
  answer.on('end', () => response.end())
  // A truncated answer must not look complete.
  answer.on('error', () => response.destroy())
  answer.on('aborted', () => response.destroy())
}

function endToEnd(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter(
    (_, index) => !HOP_BY_HOP.has(rawHeaders[index - (index % 2)]?.toLowerCase() ?? ''),
  )
}
