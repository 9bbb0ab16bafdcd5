import type { Storage } from '@qs-telemetry/protocol/api'

const YEAR_DAYS = 365.25

/** How long the disk lasts, in a few words: 12 days, 4.5 years. */
export function lastsText({ disk, growth, lasts }: Pick<Storage, 'disk' | 'growth' | 'lasts'>): string {
  if (disk === null || growth === null) return '–'
  if (lasts === null) return '100+ years'
  if (lasts.days >= 2 * YEAR_DAYS) return `${(lasts.days / YEAR_DAYS).toFixed(1)} years`
  return lasts.days < 1 ? 'less than a day' : `${Math.floor(lasts.days)} days`
}
