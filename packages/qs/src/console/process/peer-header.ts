import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Set by the front, replacing any value from the client, with a secret that only the front and its console know. */
export const PEER_HEADER = 'x-qs-front-peer'

export function peerHeader(token: string, address: string): string {
  return `${token} ${address}`
}

/**
 * Gives a request the client address that the front saw: rate limits, trusted proxies and the audit log use
 * `socket.remoteAddress`. The front opens one connection per request, so the address belongs to one request.
 *
 * @returns false if the request does not come from the front
 */
export function takePeer(request: IncomingMessage, token: string): boolean {
  const [told = '', address = ''] = String(request.headers[PEER_HEADER] ?? '').split(' ')
  const [given, expected] = [Buffer.from(told), Buffer.from(token)]
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false
  delete request.headers[PEER_HEADER]
  Object.defineProperty(request.socket, 'remoteAddress', { value: address })
  return true
}
