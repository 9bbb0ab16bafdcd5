import { statfs } from 'node:fs/promises'
import type { Overview } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { listDevices } from '../queries/list-devices.ts'
import { overviewNumbers } from '../queries/overview-numbers.ts'
import type { Vitals } from './vitals.ts'

export interface OverviewOptions {
  readonly read: Ask
  readonly vitals: () => Promise<Vitals>
  /** Where the database is, if that is on this machine. */
  readonly dataDirectory: string | null
}

const FRESH_MS = 86_400_000
const MAX_DEVICES = 2_000
/** However many pages are open, the database is asked once in this time. */
const KEEP_MS = 1_500

/** Everything on the first page. */
export function overviewOf(options: OverviewOptions): () => Promise<Overview> {
  let kept: { readonly atMs: number; readonly answer: Promise<Overview> } | null = null
  return () => {
    const now = performance.now()
    if (kept === null || now - kept.atMs > KEEP_MS) kept = { atMs: now, answer: ask(options) }
    return kept.answer
  }
}

async function ask({ read, vitals, dataDirectory }: OverviewOptions): Promise<Overview> {
  const [flow, numbers, devices, freeBytes] = await Promise.all([
    vitals(),
    overviewNumbers(read),
    listDevices(read, { limit: MAX_DEVICES }),
    dataDirectory === null ? null : freeBytesOf(dataDirectory),
  ])
  const nowMs = Date.now()
  const note = ({ deviceId, label, lastSeen, firstSeen }: (typeof devices)[number]) => ({
    ...{ deviceId, label, lastSeen, firstSeen },
  })
  const { databaseBytes, bytesPerDay, letters, minutes } = numbers
  return {
    now: new Date(nowMs).toISOString(),
    ...flow,
    minutes,
    devices: {
      total: devices.length,
      online: devices.filter(({ status: each }) => each === 'online').length,
      silent: devices.filter(({ status: each }) => each === 'silent').map(note),
      fresh: devices
        .filter(({ firstSeen }) => firstSeen !== null && nowMs - Date.parse(firstSeen) < FRESH_MS)
        .map(note),
    },
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
