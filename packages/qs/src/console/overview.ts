import type { Overview, Storage } from '@qs-telemetry/protocol/api'
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
  readonly storage: () => Promise<Storage>
}

const KEEP_MS = 1_500

/** The data of the first page. */
export function overviewOf(options: OverviewOptions): () => Promise<Overview> {
  return kept(KEEP_MS, () => ask(options))
}

async function ask({ read, vitals, storage }: OverviewOptions): Promise<Overview> {
  const [{ rate, ...flow }, house, numbers, devices, { disk, growth, lasts }] = await Promise.all([
    vitals(),
    overviewHouse(read),
    overviewNumbers(read),
    overviewDevices(read),
    storage(),
  ])
  const { databaseBytes, letters, minutes } = numbers
  return {
    now: new Date().toISOString(),
    house,
    ...flow,
    ...(rate ?? (await storedLately(read))),
    minutes,
    devices,
    letters,
    storage: { databaseBytes, disk, growth, lasts },
  }
}
