import { statfsSync } from 'node:fs'

export interface DiskSpace {
  /** That an account other than root may use. */
  readonly freeBytes: number
  readonly totalBytes: number
}

/** Of the disk on which a directory is; null: there is no such directory, or it may not be read. */
export function diskSpaceOf(directory: string): DiskSpace | null {
  try {
    const { bavail, blocks, bsize } = statfsSync(directory)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  } catch {
    return null
  }
}
