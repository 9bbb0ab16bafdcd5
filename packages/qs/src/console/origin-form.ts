import type { IncomingMessage } from 'node:http'

/**
 * The path and query of a request. An absolute request target (`GET http://host/path`) names the host itself, and the
 * Host header must be ignored (RFC 9112, 3.2.2), so it is overwritten for the checks of the host.
 */
export function originForm(request: IncomingMessage): string {
  const { url = '/', headers } = request
  if (url.startsWith('/') || !URL.canParse(url)) return url
  const [, authority, path = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/i.exec(url) ?? []
  if (authority === undefined) return url
  headers.host = authority
  return path.startsWith('/') ? path : `/${path}`
}
