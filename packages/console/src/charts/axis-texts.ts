import { LARGEST_PLAIN, powerText } from './power-text.ts'

const DAY_S = 86_400

/** Labels of a time axis: hours and minutes, the date at the start of a day; months over long ranges. */
export function timeTexts(zone: string, seconds: readonly number[], stepSeconds: number): string[] {
  const zoned = { timeZone: zone, hourCycle: 'h23' } as const
  const month = new Intl.DateTimeFormat('en-GB', { ...zoned, month: 'short', year: 'numeric' })
  const day = new Intl.DateTimeFormat('en-GB', { ...zoned, day: 'numeric', month: 'short' })
  const time = new Intl.DateTimeFormat('en-GB', {
    ...zoned,
    hour: '2-digit',
    minute: '2-digit',
    ...(stepSeconds < 60 && { second: '2-digit' }),
    ...(stepSeconds < 1 && { fractionalSecondDigits: 3 }),
  })
  return seconds.map((each, index) => {
    const date = new Date(each * 1000)
    if (stepSeconds >= DAY_S * 27) return month.format(date)
    if (stepSeconds >= DAY_S) return day.format(date)
    const before = seconds[index - 1]
    // Some days begin at 01:00: a clock change skips midnight.
    const isFirst = before !== undefined && day.format(new Date(before * 1000)) !== day.format(date)
    const clock = time.format(date)
    return isFirst || (before === undefined && /^00:00(:00)?$/.test(clock)) ? day.format(date) : clock
  })
}

/** Labels of a value axis, each with enough digits to differ from its neighbours. */
export function valueTexts(marks: readonly number[]): string[] {
  const [first = 0, second = first + 1] = marks
  const step = Math.abs(second - first)
  // Steps of 1e307 add up to 2e291 instead of zero.
  const values = marks.map((mark) => (Math.abs(mark) < step / 1e6 ? 0 : mark))
  const digits = digitsOf(step)
  const largest = Math.max(...values.map(Math.abs))
  if (digits !== null && largest < LARGEST_PLAIN) return values.map((value) => plain(value, digits))
  const significant = Math.ceil(Math.log10(largest / step)) + 1
  return values.map((value) => {
    const size = Math.abs(value)
    const isPlain = size === 0 || (size >= 0.001 && size < LARGEST_PLAIN)
    return isPlain
      ? plain(value, significant - Math.ceil(Math.log10(size || 1)))
      : powerText(value, significant)
  })
}

const MAX_DIGITS = 6

/** Decimals that write the step in full; null above MAX_DIGITS. */
function digitsOf(step: number): number | null {
  for (let digits = 0; digits <= MAX_DIGITS; digits++) {
    const scaled = step * 10 ** digits
    if (scaled > 0.5 && Math.abs(scaled - Math.round(scaled)) < 1e-6) return digits
  }
  return null
}

function plain(value: number, digits: number): string {
  // Adding zero removes the sign of a negative zero.
  return (value + 0)
    .toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .replace('-', '−')
}
