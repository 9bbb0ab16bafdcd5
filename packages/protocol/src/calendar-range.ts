import { Temporal } from 'temporal-polyfill'

/** Named ranges of whole calendar days in a time zone. Weeks begin on Monday (ISO 8601). */
export const CALENDAR_RANGES = [
  'today',
  'yesterday',
  'this-week',
  'last-week',
  'this-month',
  'last-month',
  'this-year',
  'last-year',
] as const

export type CalendarRange = (typeof CALENDAR_RANGES)[number]

/** `from` inclusive, `to` exclusive, RFC 3339 in UTC. A day with a clock change has 23 or 25 hours. */
export function calendarRange(
  range: CalendarRange,
  timeZone: string,
  nowMs: number,
): { readonly from: string; readonly to: string } {
  const today = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone).toPlainDate()
  const [first, length] = STRETCHES[range](today)
  const begin = (date: Temporal.PlainDate) => date.toZonedDateTime({ timeZone }).toInstant().toString()
  return { from: begin(first), to: begin(first.add(length)) }
}

type Stretch = readonly [first: Temporal.PlainDate, length: Temporal.DurationLike]

const DAY = { days: 1 }
const WEEK = { weeks: 1 }
const MONTH = { months: 1 }
const YEAR = { years: 1 }
const monday = (date: Temporal.PlainDate) => date.subtract({ days: date.dayOfWeek - 1 })

const STRETCHES: Readonly<Record<CalendarRange, (today: Temporal.PlainDate) => Stretch>> = {
  today: (today) => [today, DAY],
  yesterday: (today) => [today.subtract(DAY), DAY],
  'this-week': (today) => [monday(today), WEEK],
  'last-week': (today) => [monday(today).subtract(WEEK), WEEK],
  'this-month': (today) => [today.with({ day: 1 }), MONTH],
  'last-month': (today) => [today.with({ day: 1 }).subtract(MONTH), MONTH],
  'this-year': (today) => [today.with({ month: 1, day: 1 }), YEAR],
  'last-year': (today) => [today.with({ month: 1, day: 1 }).subtract(YEAR), YEAR],
}
