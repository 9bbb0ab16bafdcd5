import { wallTime } from './wall-time.ts'

/** IANA names, for choices. */
export const TIME_ZONES: readonly string[] = [...Intl.supportedValuesOf('timeZone'), 'UTC']

/** Minutes by which a zone is ahead of UTC at a time. */
function offsetMinutes(zone: string, ms: number): number {
  return Math.round((Date.parse(`${wallTime(zone, ms)}Z`) - Math.floor(ms / 60_000) * 60_000) / 60_000)
}

/** The zones that are now ahead of UTC by so many minutes, with those of `first` first. */
export function zonesAhead(minutes: number, ms: number, first: readonly string[]): readonly string[] {
  return [...new Set([...first, ...TIME_ZONES])].filter((zone) => offsetMinutes(zone, ms) === minutes)
}
