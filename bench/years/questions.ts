import { HOURLY } from '../../packages/qs/src/console/queries/read-series.ts'
import { DAY_MS, SENSORS } from './fill.ts'

export interface Question {
  readonly what: string
  readonly sql: string
  readonly values: readonly unknown[]
  readonly goal: string
}

const NUMBERS = `select * from event_numbers($1, $2, $3, $4, '10 minutes')`
const VALUES = `
select ts, value_num from bounded_numbers
where device_id = $1 and event_type = $2 and ts >= $3 and ts < $4 and last_ts >= $3 and first_ts < $4`
const YEAR_MS = 365 * DAY_MS

/** `at`: a day in the middle of the sealed ones; `rowsFrom`: the first day of rows. */
export function QUESTIONS({
  at,
  rowsFrom,
}: {
  readonly at: Date
  readonly rowsFrom: Date
}): readonly Question[] {
  const day = (from: Date) => ['board-15', 'temp', from, new Date(from.getTime() + DAY_MS)]
  const [to, since] = [
    new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000),
    new Date(Date.now() - YEAR_MS),
  ]
  return [
    {
      what: 'a day of one series as a chart, from segments',
      sql: NUMBERS,
      values: day(at),
      goal: '≤ 20 ms, no slower than rows',
    },
    { what: 'the same, from rows', sql: NUMBERS, values: day(rowsFrom), goal: '' },
    { what: 'all values of a day, from segments', sql: VALUES, values: day(at), goal: '' },
    { what: 'the same, from rows', sql: VALUES, values: day(rowsFrom), goal: '' },
    {
      what: 'a year of one device, five charts of 12 hours a point, by the hours',
      sql: HOURLY,
      values: [
        SENSORS.map(() => 'board-15'),
        SENSORS,
        since,
        to,
        '12 hours',
        new Date(Math.ceil(since.getTime() / 3_600_000) * 3_600_000),
        to,
      ],
      goal: '≤ 100 ms',
    },
    {
      what: 'select * from events order by ts_server desc limit 10',
      sql: 'select * from events order by ts_server desc limit 10',
      values: [],
      goal: '≤ 5 ms',
    },
    {
      what: 'latest of all 150 series',
      sql: 'select device_id, event_type, ts, value_num, value_text, unit from series',
      values: [],
      goal: '≤ 20 ms',
    },
  ]
}
