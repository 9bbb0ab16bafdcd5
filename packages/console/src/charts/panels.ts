import type { ChartLine } from './chart-line.ts'

/** A chart has room for as many axes; on a phone for one less. */
const [AXES, AXES_NARROW, NARROW_PX] = [3, 2, 500]

/** The units of some lines, each of which has an axis. */
export function unitsOf(lines: readonly Pick<ChartLine, 'unit'>[]): readonly string[] {
  return [...new Set(lines.map(({ unit }) => unit ?? ''))]
}

/** Lines for one chart where its axes have room, and else a chart for each unit, one above the other. */
export function panelsOf<Line extends Pick<ChartLine, 'unit'>>(
  lines: readonly Line[],
  width: number,
): readonly (readonly Line[])[] {
  const units = unitsOf(lines)
  if (units.length <= (width < NARROW_PX ? AXES_NARROW : AXES)) return [lines]
  return units.map((unit) => lines.filter((line) => (line.unit ?? '') === unit))
}
