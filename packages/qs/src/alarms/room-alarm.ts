import type { Alarm } from './alarm.ts'

export interface RoomState {
  /** KEEP_FREE. */
  readonly keepFreeBytes: number
  /** Null: unknown. */
  readonly freeBytes: number | null
  /** Deleted for lack of space since the start of this process. */
  readonly events: number
}

/** KEEP_FREE is at work, or cannot be. @param read null: it is off */
export function roomAlarm(read: () => RoomState | null): Alarm {
  return {
    name: 'keep_free',
    check: () => {
      const room = read()
      if (room === null) return null
      const { keepFreeBytes, freeBytes, events } = room
      const limit = `KEEP_FREE (${gigabytes(keepFreeBytes)})`
      if (freeBytes === null)
        return `${limit} has no effect: this process cannot see the disk of the database. Run it on the same machine as the owner, or turn it off (KEEP_FREE=off)`
      if (freeBytes >= keepFreeBytes) return null
      return (
        `${gigabytes(freeBytes)} are free on the disk of the database, less than ${limit}: for each event that is sealed, the oldest ` +
        `sealed event is deleted, ${events} so far. Use a larger disk, or delete what you choose (KEEP_EVENTS, qs keep set)`
      )
    },
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`
}
