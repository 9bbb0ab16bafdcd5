export interface Pace {
  readonly eventsPerDay: number
  readonly bytesPerRow: number
  /** Of an event in a segment. */
  readonly bytesPerSealed: number
  /** Age at which events are sealed; null: never. */
  readonly sealAfterDays: number | null
  /** Size of the table events with its indexes. */
  readonly rowsBytes: number
  /** Numbers by the hour, dead letters. */
  readonly otherBytesPerDay: number
}

export interface Forecast {
  readonly bytesPerDay: number
  /** Once as many events leave the table each day as arrive. */
  readonly laterBytesPerDay: number
  /** Infinity: nothing grows. */
  readonly days: (freeBytes: number) => number
}

/**
 * How the database grows. Without sealing each event costs its row for good. With it, the table grows until it holds the
 * events of `sealAfterDays`; from then on an event costs what it takes in a segment.
 */
export function forecast(pace: Pace): Forecast {
  const { eventsPerDay, bytesPerRow, bytesPerSealed, sealAfterDays, rowsBytes, otherBytesPerDay } = pace
  const rowsPerDay = eventsPerDay * bytesPerRow
  const bytesPerDay = rowsPerDay + otherBytesPerDay
  if (sealAfterDays === null || rowsPerDay === 0)
    return { bytesPerDay, laterBytesPerDay: bytesPerDay, days: (freeBytes) => freeBytes / bytesPerDay }

  const laterBytesPerDay = eventsPerDay * bytesPerSealed + otherBytesPerDay
  const daysToFill = Math.max(0, sealAfterDays - rowsBytes / rowsPerDay)
  return {
    bytesPerDay: daysToFill > 0 ? bytesPerDay : laterBytesPerDay,
    laterBytesPerDay,
    days: (freeBytes) => {
      const left = freeBytes - daysToFill * bytesPerDay
      return left < 0 ? freeBytes / bytesPerDay : daysToFill + left / laterBytesPerDay
    },
  }
}
