import { instantOf, wallTime } from '../time/wall-time.ts'

const [MINUTE_S, HOUR_S, DAY_S] = [60, 3_600, 86_400]
/** In uPlot's steps a month has 30 days and a year 365. */
const MONTH_DAYS = 30
const YEAR_DAYS = 365

/**
 * Marks of a time axis at whole steps of local time. uPlot's own marks assume clock changes of whole hours; after a
 * change of half an hour (Australia/Lord_Howe) they are at 00:30 and no day is marked.
 *
 * @param from Unix seconds, as `to`
 * @param step seconds, one of uPlot's steps
 */
export function timeMarks(zone: string, [from, to]: readonly [number, number], step: number): number[] {
  const marks = step < DAY_S ? marksOfClock(zone, [from, to], step) : marksOfDays(zone, [from, to], step)
  return marks.filter((mark) => mark >= from && mark <= to)
}

/** Local time in seconds, as if it were UTC; offsets are whole minutes. */
function wallSeconds(zone: string, seconds: number): number {
  return Date.parse(`${wallTime(zone, seconds * 1000)}Z`) / 1000 + (seconds % MINUTE_S)
}

function marksOfClock(zone: string, [from, to]: readonly [number, number], step: number): number[] {
  if (step <= MINUTE_S) return range(Math.ceil(from / step) * step, to, step)
  // Offsets are multiples of a quarter of an hour, and clocks change at such times.
  const pace = step < HOUR_S ? 5 * MINUTE_S : 15 * MINUTE_S
  let greatest = Math.floor(wallSeconds(zone, Math.floor(from / pace) * pace - pace) / step)
  return range(Math.floor(from / pace) * pace, to, pace).filter((time) => {
    const wall = wallSeconds(zone, time)
    const isNew = Math.floor(wall / step) > greatest
    greatest = Math.max(greatest, Math.floor(wall / step))
    // A repeated hour has its marks twice, but midnight is marked once if marks are hours apart.
    return isNew || (step <= HOUR_S && wall % step === 0)
  })
}

function marksOfDays(zone: string, [from, to]: readonly [number, number], step: number): number[] {
  const days = Math.round(step / DAY_S)
  const first = new Date(Math.floor(wallSeconds(zone, from) / DAY_S) * DAY_S * 1000)
  const last = to + DAY_S
  const marks: number[] = []
  const months = days >= YEAR_DAYS ? (12 * days) / YEAR_DAYS : days >= MONTH_DAYS ? days / MONTH_DAYS : 0
  const dayNumber = Math.floor(first.getTime() / 1000 / DAY_S / days) * days
  const monthNumber =
    Math.floor(((first.getUTCFullYear() - 1970) * 12 + first.getUTCMonth()) / (months || 1)) * months
  for (let count = 0; ; count++) {
    const day =
      months === 0 ? (dayNumber + count * days) * DAY_S * 1000 : Date.UTC(1970, monthNumber + count * months)
    const mark = dayBegin(zone, new Date(day).toISOString().slice(0, 10))
    if (mark > last) return marks
    // A day that a zone skips (Pacific/Apia in 2011) begins with the next one.
    if (mark !== marks.at(-1)) marks.push(mark)
  }
}

/** The first moment of a day, even if clocks skip or repeat midnight. */
function dayBegin(zone: string, day: string): number {
  const midnight = instantOf(zone, `${day}T00:00`) / 1000
  const isOfDay = (seconds: number) => wallTime(zone, seconds * 1000) >= `${day}T00:00`
  const near = range(midnight - 2 * HOUR_S, midnight + 2 * HOUR_S, 15 * MINUTE_S)
  return near.find(isOfDay) ?? midnight
}

function range(from: number, to: number, step: number): number[] {
  return Array.from(
    { length: Math.max(0, Math.floor((to - from) / step) + 1) },
    (_, index) => from + index * step,
  )
}
