import { setPriority } from 'node:os'

/** The scheduler of Linux gives such a process a thirtieth of what it gives others, and all that they leave. */
const NICE = 15

/**
 * Lets a process of the embedded PostgreSQL work in the time that others leave, as nice(1) would. Never for the process id
 * of another server: it means another process here.
 *
 * @param pid of the server process of a connection
 */
export function stepAside(pid: number): void {
  try {
    setPriority(pid, NICE)
  } catch {
    // The connection has just ended, or the system has no priorities: the work is done all the same.
  }
}
