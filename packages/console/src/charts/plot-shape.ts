import type { ChartLine } from './chart-line.ts'

/** What a plot fixes at creation: lines, axes, and whether it has bands. A new shape needs a new plot. */
export function plotShape(lines: readonly ChartLine[]): string {
  return JSON.stringify([lines.some(hasSpread), lines.map(({ key, style, unit }) => [key, style, unit])])
}

export function hasSpread({ min, max }: Pick<ChartLine, 'min' | 'max'>): boolean {
  return min !== undefined && max !== undefined && min.some((low, index) => low !== max[index])
}
