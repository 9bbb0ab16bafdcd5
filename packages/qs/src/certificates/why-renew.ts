import { isIPv6 } from 'node:net'
import type { ServerCertificate } from './server-certificate.ts'

/** Why a certificate should be issued again. */
export interface RenewalReason {
  /** Less than a third of its time is left, as with ACME. */
  readonly endsSoon: boolean
  /** Of this machine, and not in it. */
  readonly newNames: readonly string[]
}

/**
 * @param names of this machine. IPv6 addresses do not count: temporary ones change every day, and boards connect by IPv4
 * @returns null if there is no reason
 */
export function whyRenew(
  { names: certified, validFromMs, validToMs }: ServerCertificate,
  names: readonly string[],
  nowMs: number,
): RenewalReason | null {
  const newNames = names.filter((name) => !isIPv6(name) && !certified.includes(name))
  const endsSoon = validToMs - nowMs < (validToMs - validFromMs) / 3
  return endsSoon || newNames.length > 0 ? { endsSoon, newNames } : null
}
