import { BlockList, isIP } from 'node:net'

/** Named ranges for HTTP_TRUSTED_PROXIES, as defined by @fastify/proxy-addr. */
const RANGES: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/** Whether the peer of a connection is in HTTP_TRUSTED_PROXIES. */
export function trustedPeer(proxies: string | null): (address: string) => boolean {
  const list = new BlockList()
  const names = proxies?.split(',').map((each) => each.trim()) ?? []
  for (const each of names.flatMap((name) => RANGES[name] ?? [name])) {
    const [address = '', bits] = each.split('/')
    const family = familyOf(address)
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
