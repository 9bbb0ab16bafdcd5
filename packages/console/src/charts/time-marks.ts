import { instantOf, wallTime } from '../time/wall-time.ts'

const [MINUTE_S, HOUR_S, DAY_S] = [60, 3_600, 86_400]
/** uPlot counts a month as this many days in the steps that it offers, and a year as 365. */
const MONTH_DAYS = 30
const YEAR_DAYS = 365

/**
 * Where an axis of time has its marks: whole steps of what clocks in the zone show. uPlot's own marks expect clocks to change by whole
 * hours; after a change by half an hour (Australia/Lord_Howe) they stand at 00:30, and no day is marked any more.
 *
 * @param from Unix seconds, as `to`
 * @param step seconds, one of uPlot's steps
 */
export function timeMarks(zone: string, [from, to]: readonly [number, number], step: number): number[] {
  const marks = step < DAY_S ? marksOfClock(zone, [from, to], step) : marksOfDays(zone, [from, to], step)
  return marks.filter((mark) => mark >= from && mark <= to)
}

/** What clocks show, in seconds as if it were UTC; they differ from it by whole minutes. */
function wallSeconds(zone: string, seconds: number): number {
  return Date.parse(`${wallTime(zone, seconds * 1000)}Z`) / 1000 + (seconds % MINUTE_S)
}

function marksOfClock(zone: string, [from, to]: readonly [number, number], step: number): number[] {
  if (step <= MINUTE_S) return range(Math.ceil(from / step) * step, to, step)
  // Zones differ from UTC by whole quarters of an hour, and clocks change at such.
  const pace = step < HOUR_S ? 5 * MINUTE_S : 15 * MINUTE_S
  let greatest = Math.floor(wallSeconds(zone, Math.floor(from / pace) * pace - pace) / step)
  return range(Math.floor(from / pace) * pace, to, pace).filter((time) => {
    const wall = wallSeconds(zone, time)
    const isNew = Math.floor(wall / step) > greatest
    greatest = Math.max(greatest, Math.floor(wall / step))
    // An hour that comes twice has its marks twice, but midnight is marked once where marks are hours apart.
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
    // A day that a zone leaves out (Pacific/Apia in 2011) begins with the next one.
    if (mark !== marks.at(-1)) marks.push(mark)
  }
}

/** The first moment of a day: where clocks leave midnight out, or show it twice, too. */
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
