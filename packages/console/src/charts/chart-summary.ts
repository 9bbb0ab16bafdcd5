import { type ChartLine, numberText } from './chart-line.ts'

/** A chart in words, for whoever does not see it. */
export function chartSummary(title: string, lines: readonly ChartLine[]): string {
  if (lines.length === 0) return `${title}: no numbers in this time`
  const texts = lines.map(({ label, unit, times, mean, min, max }) => {
    const [low, high] = [Math.min(...(min ?? mean)), Math.max(...(max ?? mean))]
    return `${label}, ${times.length} points, from ${numberText(low)} to ${numberText(high)} ${unit ?? ''}, last ${numberText(mean.at(-1))}`
  })
  return `${title}: ${texts.join('; ')}`
}
