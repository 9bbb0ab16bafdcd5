import { isIPv4 } from 'node:net'

/** Whether only this machine can reach a server that listens on the host: 127.0.0.0/8, ::1, localhost. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'))
}

/**
 * Whether a page with this Origin header may open a WebSocket. A browser lets any web page connect to ws://127.0.0.1,
 * so without a password every page that its user visits could publish events. Programs send no Origin.
 */
export function isLocalOrigin(origin: string | undefined): boolean {
  if (origin === undefined) return true
  return URL.canParse(origin) && isLoopback(new URL(origin).hostname)
}
