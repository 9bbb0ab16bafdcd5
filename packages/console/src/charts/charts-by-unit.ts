import type { ChartLine } from './chart-line.ts'

/** Value axes that fit in a chart, and on a phone. */
const [AXES, AXES_NARROW, NARROW_PX] = [3, 2, 500]

/** The units of the lines; each has an axis. */
export function unitsOf(lines: readonly Pick<ChartLine, 'unit'>[]): readonly string[] {
  return [...new Set(lines.map(({ unit }) => unit ?? ''))]
}

/** The lines of each chart: all in one if their axes fit, otherwise a chart for each unit. */
export function chartsByUnit<Line extends Pick<ChartLine, 'unit'>>(
  lines: readonly Line[],
  width: number,
): readonly (readonly Line[])[] {
  const units = unitsOf(lines)
  if (units.length <= (width < NARROW_PX ? AXES_NARROW : AXES)) return [lines]
  return units.map((unit) => lines.filter((line) => (line.unit ?? '') === unit))
}
