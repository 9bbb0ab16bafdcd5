import { lookup } from 'node:dns/promises'
import { hostname, networkInterfaces } from 'node:os'
import { setTimeout } from 'node:timers/promises'

/** A responder on this machine answers at once; for a name that nobody has, multicast DNS waits for seconds. */
const TIMEOUT_MS = 1_000

const lookupAll = (name: string) => lookup(name, { all: true })

/**
 * The name by which the network finds this machine without a DNS server, such as `nas.local`: what avahi,
 * systemd-resolved or macOS announce.
 *
 * @returns null if nothing announces it, or another machine has it
 */
export async function localName(host = hostname(), find = lookupAll): Promise<string | null> {
  const name = `${host.toLowerCase().split('.')[0]}.local`
  const ended = new AbortController()
  const timeout = setTimeout(TIMEOUT_MS, null, ended).catch(() => null)
  const found = await Promise.race([find(name).catch(() => null), timeout])
  ended.abort()
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  // Not that of loopback, which comes from /etc/hosts.
  const isOwn = (address: string) => own.some((each) => !each.internal && each.address === address)
  return found?.some(({ address }) => isOwn(address.replace(/%.*$/, ''))) ? name : null
}
