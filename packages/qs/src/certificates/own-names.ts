import { hostname, networkInterfaces } from 'node:os'
import type { Config } from '../config/settings.ts'

/** Names for a certificate: the one by which boards connect, if it is set, and those of this machine. */
export function namesOf({ MQTT_PUBLIC_URL: url }: Pick<Config, 'MQTT_PUBLIC_URL'>): readonly string[] {
  const host = url === null ? [] : [new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')]
  return [...new Set([...host, ...ownNames()])]
}

/** The host names and addresses by which boards and this machine itself reach it. */
function ownNames(): readonly string[] {
  const host = hostname().toLowerCase()
  const [short = host] = host.split('.')
  const addresses = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    // fe80::… is valid only together with an interface.
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address)
  return [...new Set([host, short, `${short}.local`, 'localhost', ...addresses, '127.0.0.1', '::1'])]
}
