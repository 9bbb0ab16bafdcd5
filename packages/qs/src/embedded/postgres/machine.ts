import { availableParallelism, totalmem } from 'node:os'
import { diskSpaceOf } from '../../telemetry/disk-space.ts'

/** What the tuning of PostgreSQL depends on. */
export interface Machine {
  /** Of the machine, or of the container if that may use less. */
  readonly memoryBytes: number
  readonly cores: number
  /** On the disk of the cluster; 0 if unknown. */
  readonly freeDiskBytes: number
}

/** @param directory an existing one on the disk of the cluster */
export function readMachine(directory: string): Machine {
  return {
    memoryBytes: memoryOf(totalmem(), process.constrainedMemory()),
    cores: availableParallelism(),
    freeDiskBytes: diskSpaceOf(directory)?.freeBytes ?? 0,
  }
}

/** @param constrainedBytes limit of the cgroup: 0 or more than the machine has if there is none */
export function memoryOf(totalBytes: number, constrainedBytes: number): number {
  return constrainedBytes > 0 ? Math.min(totalBytes, constrainedBytes) : totalBytes
}
