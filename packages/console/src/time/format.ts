const cache = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options)
  let found = cache.get(key)
  if (found === undefined) {
    found = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', ...options })
    cache.set(key, found)
  }
  return found
}

const DAY = { year: 'numeric', month: 'short', day: '2-digit' } as const
const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const

/** 26 Nov 2026, 01:49:32 */
export function momentIn(zone: string, moment: string | number | Date): string {
  return formatter(zone, { ...DAY, ...TIME }).format(new Date(moment))
}

/** 01:49:32 today, otherwise with the date. */
export function shortIn(zone: string, moment: string | number | Date): string {
  const date = new Date(moment)
  const day = formatter(zone, DAY)
  if (day.format(date) === day.format(new Date())) return formatter(zone, TIME).format(date)
  return formatter(zone, { month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit' }).format(date)
}

/** 01:49:32 on the day of the other moment, otherwise with the date. */
export function clockIn(zone: string, moment: number, other: number): string {
  const day = formatter(zone, DAY)
  const isSameDay = day.format(new Date(moment)) === day.format(new Date(other))
  return isSameDay ? formatter(zone, TIME).format(new Date(moment)) : momentIn(zone, moment)
}

/** 01:49 */
export function minuteIn(zone: string, moment: string | number | Date): string {
  return formatter(zone, { hour: '2-digit', minute: '2-digit' }).format(new Date(moment))
}

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400 * 365, 'y'],
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
]

/** 42 s, 3 min, 2 h. */
export function duration(seconds: number): string {
  const size = Math.abs(seconds)
  if (size < 1) return size === 0 ? '0 s' : `${Math.round(size * 1000)} ms`
  const [unit, name] = UNITS.find(([each]) => size >= each) ?? [1, 's']
  const count = size / unit
  return `${count < 10 && unit > 1 ? Number(count.toFixed(1)) : Math.round(count)} ${name}`
}

export function ago(moment: string, nowMs: number): string {
  const seconds = (nowMs - Date.parse(moment)) / 1000
  return seconds < 2 ? 'just now' : `${duration(seconds)} ago`
}

/** +0.2 s, −3 min: how far a clock is ahead. */
export function offset(seconds: number): string {
  if (Math.abs(seconds) < 0.0005) return '±0 s'
  const sign = seconds < 0 ? '−' : '+'
  const size = Math.abs(seconds)
  return size < 10 ? `${sign}${size.toFixed(size < 1 ? 3 : 1)} s` : `${sign}${duration(size)}`
}
