import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { processIdentity } from '../embedded/postgres/process-identity.ts'

/** A folder of backups may be used by several machines and containers, whose process ids say nothing to each other. */
function processSpace(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

export function thisProcess(): string {
  return JSON.stringify([processSpace(), process.pid, processIdentity(process.pid)])
}

/** Whether the process of this name has ended; null: it is one of another machine, or there is no name. */
export function hasEnded(name: string): boolean | null {
  try {
    const [space, pid, identity] = JSON.parse(name) as [string, number, string | null]
    return space === processSpace() ? processIdentity(pid) !== identity : null
  } catch {
    return null
  }
}
