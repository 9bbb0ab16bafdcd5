import { hostname, networkInterfaces } from 'node:os'

/** The host names and addresses by which boards and this machine itself reach it. */
export function ownNames(): readonly string[] {
  const host = hostname().toLowerCase()
  const [short = host] = host.split('.')
  const addresses = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    // fe80::… is valid only together with an interface.
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address)
  return [...new Set([host, short, `${short}.local`, 'localhost', ...addresses, '127.0.0.1', '::1'])]
}
