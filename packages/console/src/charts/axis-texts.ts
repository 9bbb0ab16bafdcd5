import { numberText } from './chart-line.ts'

const DAY_S = 86_400

/** Marks on the time axis: hours and minutes, and the day where it begins; months on a long one. */
export function timeTexts(zone: string, seconds: readonly number[], stepSeconds: number): string[] {
  const zoned = { timeZone: zone, hourCycle: 'h23' } as const
  const month = new Intl.DateTimeFormat('en-GB', { ...zoned, month: 'short', year: 'numeric' })
  const day = new Intl.DateTimeFormat('en-GB', { ...zoned, day: 'numeric', month: 'short' })
  const time = new Intl.DateTimeFormat('en-GB', {
    ...zoned,
    hour: '2-digit',
    minute: '2-digit',
    ...(stepSeconds < 60 && { second: '2-digit' }),
  })
  return seconds.map((each) => {
    const date = new Date(each * 1000)
    if (stepSeconds >= DAY_S * 27) return month.format(date)
    const clock = time.format(date)
    return stepSeconds >= DAY_S || /^00:00(:00)?$/.test(clock) ? day.format(date) : clock
  })
}

/** Marks on the axis of values, each with the digits that tell it from its neighbours. */
export function valueTexts(values: readonly number[]): string[] {
  const [first = 0, second = first + 1] = values
  const digits = digitsOf(second - first)
  const isLong = digits === null || values.some((value) => Math.abs(value) >= 1e7)
  return values.map((value) => (isLong ? numberText(value) : plain(value, digits)))
}

const MAX_DIGITS = 6

/** How many decimals write it in full; null: more than people read. */
function digitsOf(step: number): number | null {
  for (let digits = 0; digits <= MAX_DIGITS; digits++) {
    const scaled = step * 10 ** digits
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6) return digits
  }
  return null
}

function plain(value: number, digits: number): string {
  return value
    .toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .replace('-', '−')
}
