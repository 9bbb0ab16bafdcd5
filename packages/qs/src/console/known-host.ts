import { isIP } from 'node:net'

/**
 * Zones without public registration: RFC 6761 (localhost), RFC 6762 (local), RFC 8375 (home.arpa), and `internal`,
 * which ICANN reserves for private use.
 */
const PRIVATE_ZONE = /(^|\.)(localhost|local|home\.arpa|internal)$/

/** The host of a Host header as browsers write it: lower case, without port, an IPv6 address without brackets. */
export function hostnameOf(host: string): string | null {
  if (!/^[^\s/?#@\\]+$/.test(host) || !URL.canParse(`http://${host}`)) return null
  const { hostname } = new URL(`http://${host}`)
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

/**
 * Whether the host rules out DNS rebinding, which needs a name in the public DNS that an outsider owns: it is an IP
 * address, a name without a dot, a name in a private zone, or one of `names`.
 */
export function isKnownHost(hostname: string, names: ReadonlySet<string>): boolean {
  return isIP(hostname) !== 0 || !hostname.includes('.') || PRIVATE_ZONE.test(hostname) || names.has(hostname)
}
