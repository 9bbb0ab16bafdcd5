import type { Storage } from '@qs-telemetry/protocol/api'
import { sizeText } from './size-text.ts'

type Facts = Omit<Storage, 'advice'>

/** What else the advice depends on. */
export interface Outlook {
  /** Age at which events are sealed, and deleted; null: never. */
  readonly sealAfterDays: number | null
  readonly keepDays: number | null
  /** How much more is used in a year. */
  readonly yearBytes: number
  /** Of the table events, where rows were sealed or deleted. */
  readonly freeInRows: number
}

/** At most, with ids in order: 11.4 were measured with 150 series. */
export const TYPICAL_SEALED = 20
/** Of the database. Less is not worth a word. */
const WORTH = 0.1
const SHORT_DAYS = 365

/** What would help, most effective first. Nothing where the disk lasts for years. */
export function storageAdvice(facts: Facts, outlook: Outlook): string[] {
  const { parts, events, disk, lasts, sealing } = facts
  const { sealAfterDays, keepDays, yearBytes, freeInRows } = outlook
  const bytesOf = (name: string) => parts.find((part) => part.name === name)?.bytes ?? 0
  const all = parts.reduce((sum, { bytes }) => sum + bytes, 0)
  const isShort = lasts !== null && lasts.days < SHORT_DAYS
  const isMuch = (name: string) => isShort && bytesOf(name) > all * WORTH
  const found = [
    isShort &&
      sealing !== null &&
      sealAfterDays === null &&
      `SEAL_AFTER=30d: an event of ${sizeText(events.bytesPerRow)} takes about ${TYPICAL_SEALED} bytes once it is sealed`,
    isShort &&
      freeInRows > all * WORTH &&
      `vacuum full events, in psql, gives about ${sizeText(freeInRows)} back that sealing has left free in the table; meanwhile nothing is stored, and devices keep their events`,
    isShort &&
      'qs export --parquet writes all events to files of seven to ten bytes an event, on another disk; then KEEP_EVENTS can delete old ones here',
    isMuch('letters') && `qs deadletter purge: rejected events take ${sizeText(bytesOf('letters'))}`,
    isMuch('backups') &&
      `Keep backups on another disk, or fewer of them: they take ${sizeText(bytesOf('backups'))}`,
    isMuch('WAL') &&
      `max_wal_size bounds the log of PostgreSQL, which takes ${sizeText(bytesOf('WAL'))}; an unused replication slot keeps all of it (qs doctor)`,
    isShort &&
      disk !== null &&
      `A year of this needs ${sizeText(yearBytes)}: use a larger disk, or send less often${keepDays === null ? '' : ', or keep events for a shorter time (qs keep ls)'}`,
  ]
  return found.filter((line) => line !== false)
}
