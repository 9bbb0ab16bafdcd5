import { statfs } from 'node:fs/promises'
import type { Overview } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { overviewDevices } from '../devices/overview-devices.ts'
import { kept } from './kept.ts'
import type { Vitals } from './process/console-host.ts'
import { overviewHouse } from './queries/overview-house.ts'
import { overviewNumbers } from './queries/overview-numbers.ts'
import { storedLately } from './queries/stored-lately.ts'

export interface OverviewOptions {
  readonly read: Ask
  readonly vitals: () => Promise<Vitals>
  /** Location of the database, if on this machine. */
  readonly dataDirectory: string | null
}

const KEEP_MS = 1_500

/** The data of the first page. */
export function overviewOf(options: OverviewOptions): () => Promise<Overview> {
  return kept(KEEP_MS, () => ask(options))
}

async function ask({ read, vitals, dataDirectory }: OverviewOptions): Promise<Overview> {
  const [{ rate, ...flow }, house, numbers, devices, freeBytes] = await Promise.all([
    vitals(),
    overviewHouse(read),
    overviewNumbers(read),
    overviewDevices(read),
    dataDirectory === null ? null : freeBytesOf(dataDirectory),
  ])
  const { databaseBytes, bytesPerDay, letters, minutes } = numbers
  return {
    now: new Date().toISOString(),
    house,
    ...flow,
    ...(rate ?? (await storedLately(read))),
    minutes,
    devices,
    letters,
    disk: { databaseBytes, freeBytes, bytesPerDay },
  }
}

async function freeBytesOf(directory: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize
  } catch {
    return null
  }
}
