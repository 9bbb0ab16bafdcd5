const cache = new Map<string, Intl.DateTimeFormat>()

/** Local time in a zone, in the format of datetime-local inputs: 2026-11-26T04:10. */
export function wallTime(zone: string, ms: number): string {
  let format = cache.get(zone)
  if (format === undefined) {
    const [two, hourCycle] = ['2-digit', 'h23'] as const
    format = new Intl.DateTimeFormat('sv-SE', {
      ...{ timeZone: zone, hourCycle, year: 'numeric', month: two, day: two, hour: two, minute: two },
    })
    cache.set(zone, format)
  }
  return format.format(ms).replace(' ', 'T')
}

/**
 * The instant of a local time in a zone; NaN if the text is not a time. For a repeated hour one of the two is taken; a
 * skipped hour is shifted.
 */
export function instantOf(zone: string, wall: string): number {
  const asUtc = Date.parse(`${wall}Z`)
  if (Number.isNaN(asUtc)) return asUtc
  const offset = (ms: number) => Date.parse(`${wallTime(zone, ms)}Z`) - Math.floor(ms / 60_000) * 60_000
  const guess = asUtc - offset(asUtc)
  return asUtc - offset(guess)
}
