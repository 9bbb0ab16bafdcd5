import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Written by the front over whatever a client sent, with a secret that only the front and its console know. */
export const PEER_HEADER = 'x-qs-front-peer'

export function peerHeader(token: string, address: string): string {
  return `${token} ${address}`
}

/**
 * Gives a request the address of the client that the front saw: `socket.remoteAddress` is what rate limits, trusted
 * proxies and the audit log go by. The front opens a connection for each request, so the address belongs to one request.
 *
 * @returns false where the request does not come from the front
 */
export function takePeer(request: IncomingMessage, token: string): boolean {
  const [told = '', address = ''] = String(request.headers[PEER_HEADER] ?? '').split(' ')
  const [given, expected] = [Buffer.from(told), Buffer.from(token)]
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false
  delete request.headers[PEER_HEADER]
  Object.defineProperty(request.socket, 'remoteAddress', { value: address })
  return true
}
