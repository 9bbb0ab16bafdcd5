import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import type { Log } from '../../telemetry/log.ts'

const MAX_BYTES = 8 * 1024 * 1024
const TAIL_BYTES = 2_000

/**
 * Limits the log of PostgreSQL. Its standard error is a file, not a pipe, since it may outlive qs. One predecessor is
 * kept, so both together stay below twice the limit. The file is copied and truncated rather than renamed, because
 * PostgreSQL keeps it open; it appends, so it continues at the new end.
 */
export function boundLog(path: string, log: Log): void {
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= MAX_BYTES) return
    keepCopy(path)
    truncateSync(path, 0)
  } catch (error) {
    log.warn(error, `cannot shorten ${path}`)
  }
}

function keepCopy(path: string): void {
  try {
    copyFileSync(path, `${path}.1`)
  } catch {
    // The disk may be full: space matters more than an old log.
    rmSync(`${path}.1`, { force: true })
  }
}

/** The last lines written at or after the position, for an error message. */
export function logTail(path: string, from: number): string {
  if (!existsSync(path)) return ''
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
