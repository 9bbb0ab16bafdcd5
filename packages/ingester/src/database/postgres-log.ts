import { closeSync, copyFileSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs'

const MAX_BYTES = 8 * 1024 * 1024
const TAIL_BYTES = 2_000

/**
 * What PostgreSQL writes to standard error: a file, not a pipe, since it may outlive us. One predecessor is kept, so
 * that log and predecessor stay below twice the limit. The file is copied and emptied rather than renamed, because
 * PostgreSQL keeps it open; it appends, so it goes on at the new end.
 */
export function boundLog(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size <= MAX_BYTES) return
  copyFileSync(path, `${path}.1`)
  truncateSync(path, 0)
}

/** The last lines that were written at or after the position, for an error message. */
export function logTail(path: string, from: number): string {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const start = Math.max(size < from ? 0 : from, size - TAIL_BYTES)
    const buffer = Buffer.alloc(size - start)
    readSync(file, buffer, 0, buffer.length, start)
    return buffer.toString('utf8').trim()
  } finally {
    closeSync(file)
  }
}
