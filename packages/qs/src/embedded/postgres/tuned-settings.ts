import type { Machine } from './machine.ts'

const [MB, GB] = [2 ** 20, 2 ** 30]

/**
 * Settings of PostgreSQL that follow from its machine, from a board with 512 MB and an SD card to a server. qs itself, the
 * console and the page cache share the memory, so PostgreSQL takes less of it than a server of its own would.
 * docs/decisions/0032 has the measurements.
 */
export function tunedSettings({
  memoryBytes: memory,
  cores,
  freeDiskBytes: free,
}: Machine): Readonly<Record<string, string>> {
  // A crash replays at most this much, so a small board keeps less of it. The disk has to hold it beside the data.
  const maxWal = within(80 * MB, Math.min(memory, free / 16), 4 * GB)
  return {
    shared_buffers: megabytes(within(32 * MB, memory / 8, GB)),
    // Only an assumption of the planner: that part of the files are in memory.
    effective_cache_size: megabytes(memory / 2),
    maintenance_work_mem: megabytes(within(16 * MB, memory / 32, 256 * MB)),
    // Of each of the workers, which run beside the ingest.
    autovacuum_work_mem: megabytes(within(16 * MB, memory / 64, 64 * MB)),
    autovacuum_max_workers: String(within(1, cores, 3)),
    // The first change of a page after a checkpoint writes the whole page to the WAL, so checkpoints are rare.
    checkpoint_timeout: '30min',
    max_wal_size: megabytes(maxWal),
    // WAL files are reused rather than created: a new one is written twice.
    min_wal_size: megabytes(within(64 * MB, maxWal / 4, GB)),
    // No seek arm on an SD card or an SSD; virtual machines report a rotating disk whatever they have.
    random_page_cost: '1.1',
    max_parallel_workers_per_gather: String(within(0, Math.floor(cores / 2), 2)),
    io_workers: String(within(1, cores, 3)),
  }
}

function within(least: number, value: number, most: number): number {
  return Math.max(least, Math.min(value, most))
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / MB)}MB`
}
