import { networkInterfaces } from 'node:os'

/** This machine's address for boards in the network, or that of loopback if it has none. */
export function lanAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}
