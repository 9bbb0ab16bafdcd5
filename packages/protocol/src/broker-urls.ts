const PORTS: Readonly<Record<string, number>> = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 }

/**
 * The nodes of one broker, from a list separated by commas: `mqtt://a:1883,b,c:1884`. A node without a scheme has that of
 * the first.
 */
export function brokerUrls(list: string): readonly string[] {
  const scheme = /^[a-z]+:\/\//.exec(list.trim())?.[0] ?? ''
  return list.split(',').map((part) => {
    const text = part.trim()
    return text.includes('://') ? text : `${scheme}${text}`
  })
}

/** One broker URL in parts, with the port that its scheme implies. */
export function brokerPlace(url: string): {
  readonly protocol: string
  readonly host: string
  readonly port: number
} {
  const { protocol, hostname, port } = new URL(url)
  const scheme = protocol.slice(0, -1)
  return {
    protocol: scheme,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || PORTS[scheme] || 1883),
  }
}
