export interface Pace {
  readonly eventsPerDay: number
  readonly bytesPerRow: number
  /** Of an event in a segment. */
  readonly bytesPerSealed: number
  /** Age at which events are sealed; null: never. */
  readonly sealAfterDays: number | null
  /** Age at which events are deleted; null: never. */
  readonly keepDays: number | null
  /** Size of the table events with its indexes; what is free in it is used again. */
  readonly rowsBytes: number
  readonly sealedEvents: number
  /** Numbers by the hour, dead letters. */
  readonly otherBytesPerDay: number
}

export interface Forecast {
  readonly bytesPerDay: number
  /** Once as many events are sealed, and deleted, each day as arrive. */
  readonly laterBytesPerDay: number
  /** Until this much more is used. Infinity: nothing grows. */
  readonly days: (freeBytes: number) => number
  readonly bytesAfter: (days: number) => number
}

interface Phase {
  readonly days: number
  readonly bytesPerDay: number
}

/**
 * How the database grows, in three phases: until the table holds the events of `sealAfterDays`, an event costs its row;
 * until `keepDays` are there, what it takes in a segment; and then nothing, since another one is deleted for it.
 */
export function forecast(pace: Pace): Forecast {
  const { eventsPerDay, bytesPerRow, bytesPerSealed, rowsBytes, sealedEvents, otherBytesPerDay } = pace
  const [sealAfterDays, keepDays] = [pace.sealAfterDays ?? Infinity, pace.keepDays ?? Infinity]
  const phase = (days: number, bytesPerEvent: number): Phase => ({
    days: eventsPerDay === 0 ? 0 : Math.max(0, days),
    bytesPerDay: eventsPerDay * bytesPerEvent + otherBytesPerDay,
  })
  const all = [
    phase(Math.min(sealAfterDays, keepDays) - rowsBytes / (eventsPerDay * bytesPerRow), bytesPerRow),
    ...(sealAfterDays < keepDays
      ? [phase(keepDays - sealAfterDays - sealedEvents / eventsPerDay, bytesPerSealed)]
      : []),
    { days: Infinity, bytesPerDay: otherBytesPerDay },
  ].filter(({ days }) => days > 0)
  // A phase that does not end is the last.
  const phases = all.slice(0, all.findIndex(({ days }) => days === Infinity) + 1)
  return {
    bytesPerDay: phases[0]?.bytesPerDay ?? 0,
    laterBytesPerDay: phases.at(-1)?.bytesPerDay ?? 0,
    days: (freeBytes) => daysFor(phases, freeBytes),
    bytesAfter: (days) => bytesIn(phases, days),
  }
}

function daysFor([first, ...rest]: readonly Phase[], bytes: number): number {
  if (first === undefined) return 0
  const { days, bytesPerDay } = first
  const lasting = bytesPerDay === 0 ? Infinity : bytes / bytesPerDay
  return lasting <= days ? lasting : days + daysFor(rest, bytes - days * bytesPerDay)
}

function bytesIn([first, ...rest]: readonly Phase[], days: number): number {
  if (first === undefined) return 0
  const inFirst = Math.min(days, first.days)
  return inFirst * first.bytesPerDay + bytesIn(rest, days - inFirst)
}
