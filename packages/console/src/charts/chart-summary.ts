import { type ChartLine, valueText } from './chart-line.ts'

/** A chart in words, for screen readers. */
export function chartSummary(title: string, lines: readonly ChartLine[]): string {
  if (lines.length === 0) return `${title}: no numbers in this time range`
  const texts = lines.map((line) => {
    const { label, times, mean, min, max } = line
    const [low, high] = [Math.min(...(min ?? mean)), Math.max(...(max ?? mean))]
    const points = times.length === 1 ? '1 point' : `${times.length} points`
    return `${label}, ${points}, from ${valueText(line, low)} to ${valueText(line, high)}, last ${valueText(line, mean.at(-1) ?? low)}`
  })
  return `${title}: ${texts.join('; ')}`
}
