import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

export interface Machine {
  readonly cpu: string
  /** Cores available to this process; honours `taskset`. */
  readonly cores: number
  readonly memoryGb: number
  readonly system: string
  /** Time to write 8 KiB and wait for the disk: the lower bound of a COMMIT. */
  readonly fdatasyncMs: number
  /** In an in-memory file system nothing is durable, and the baseline profits most. */
  readonly isDiskInMemory: boolean
}

const TMPFS_MAGIC = 0x01021994
const SYNCS = 200

export function describeMachine(directory: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: totalmem() / 1e9,
    system: `${type()} ${release()}`,
    fdatasyncMs: medianSyncMs(directory),
    isDiskInMemory: statfsSync(directory).type === TMPFS_MAGIC,
  }
}

function medianSyncMs(parent: string): number {
  const directory = mkdtempSync(join(parent, 'qs-bench-sync-'))
  const file = openSync(join(directory, 'file'), 'w')
  try {
    const page = Buffer.alloc(8192, 1)
    const times = Float64Array.from({ length: SYNCS }, () => {
      const start = performance.now()
      writeSync(file, page, 0, page.length, 0)
      fdatasyncSync(file)
      return performance.now() - start
    })
    return times.sort()[SYNCS >> 1] ?? Number.NaN
  } finally {
    closeSync(file)
    rmSync(directory, { recursive: true })
  }
}
