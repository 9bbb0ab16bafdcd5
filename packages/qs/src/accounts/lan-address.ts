import { networkInterfaces } from 'node:os'

/** The address of this machine that boards in the network use; where there is none, that of loopback. */
export function lanAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}
