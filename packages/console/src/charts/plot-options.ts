import type uPlot from 'uplot'
import { valueTexts } from './axis-texts.ts'
import type { ChartLine } from './chart-line.ts'
import { unitsOf } from './charts-by-unit.ts'
import {
  axisLook,
  axisPx,
  FONT,
  type FrameLook,
  frameOptions,
  type PlotActions,
  sidePadding,
} from './frame-options.ts'
import { lonePoints } from './lone-points.ts'
import { type LineStyle, lineStyle } from './palette.ts'
import { hasSpread } from './plot-shape.ts'

export function plotOptions(
  lines: readonly ChartLine[],
  look: FrameLook,
  actions: PlotActions,
): uPlot.Options {
  const { scale, axis, ...frame } = frameOptions(look, actions)
  const units = unitsOf(lines)
  const styles = lines.map(({ style }) => lineStyle(style, look.isDark))
  /** Width of each axis. */
  const taken = units.map(() => 0)
  const own = () => ({ left: taken[0] ?? 0, right: taken.slice(1).reduce((sum, each) => sum + each, 0) })
  const sized = (axis: uPlot.Axis, index: number): uPlot.Axis => ({
    ...axis,
    size: (_, texts) => {
      const { marks, unit } = axisPx(look.width)
      const size = Math.max(marks, widest(texts ?? []))
      taken[index] = size + unit
      return size
    },
  })
  return {
    ...frame,
    padding: sidePadding(look, own),
    scales: {
      x: scale,
      ...Object.fromEntries(units.map((_, index) => [`y${index}`, { range: valueRange }])),
    },
    axes: [
      axis,
      ...units.map((unit, index) => {
        const own = lines.flatMap((line, n) => ((line.unit ?? '') === unit ? [styles[n]?.colour] : []))
        // Among several axes, one with a single line takes its colour.
        const stroke = units.length > 1 && own.length === 1 ? own[0] : undefined
        return { ...sized(valueAxis(unit, index, look), index), ...(stroke !== undefined && { stroke }) }
      }),
    ],
    series: [
      {},
      ...lines.flatMap(({ label, unit }, index) => {
        const on = { label, scale: `y${units.indexOf(unit ?? '')}` }
        return series(on, styles[index] ?? lineStyle(0, look.isDark))
      }),
    ],
    ...(lines.some(hasSpread) && {
      bands: styles.map(({ colour }, n) => ({
        series: [n * 3 + 3, n * 3 + 2] as [number, number],
        fill: `${colour}2e`,
      })),
    }),
  }
}

/** The first axis is on the left, the others on the right. */
function valueAxis(unit: string, index: number, { isDark, width }: FrameLook): uPlot.Axis {
  const look = axisLook(isDark)
  return {
    ...look,
    scale: `y${index}`,
    incrs: (_, _axis, low, high) => steps(high - low),
    side: index === 0 ? 3 : 1,
    grid: { ...look.grid, show: index === 0 },
    values: (_, splits) => valueTexts(splits),
    label: unit === '' ? ' ' : unit,
    labelSize: axisPx(width).unit,
    labelFont: FONT,
  }
}

/** Steps between marks, from thousands of marks to one: uPlot's own steps end at 1e-32 and 1e32. */
function steps(range: number): number[] {
  const power = Math.floor(Math.log10(range || 1))
  const powers = Array.from({ length: 6 }, (_, n) => power - 4 + n)
  const all = powers.flatMap((each) => [1, 2, 2.5, 5].map((factor) => Number(`${factor}e${each}`)))
  return all.filter((each) => each > 0 && Number.isFinite(each))
}

/** Approximate width of the longest label, in CSS pixels. */
function widest(texts: readonly string[]): number {
  const [digitPx, besidePx] = [6.6, 12]
  return besidePx + digitPx * Math.max(0, ...texts.map(({ length }) => length))
}

/** The mean, and without a stroke the minimum and the maximum that bound the band. */
function series(on: Pick<uPlot.Series, 'label' | 'scale'>, { colour, dash }: LineStyle): uPlot.Series[] {
  const filter: uPlot.Series.Points.Filter = (plot, index, show) => (show ? null : lonePoints(plot, index))
  const lone = { show: false, size: 4, width: 0, fill: `${colour}80`, filter } as const
  const hidden = { ...on, stroke: 'transparent', width: 0, points: lone }
  const points = { size: 5, width: 0, fill: colour, filter }
  return [{ ...on, stroke: colour, width: 1.6, dash: [...dash], points }, hidden, hidden]
}

/** The limit of an axis: beyond it the distance between both ends overflows a double. */
const MOST = Number.MAX_VALUE / 4

/** A constant value is a line in the middle of the chart. */
function valueRange(_: uPlot, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1]
  const pad = low === high ? Math.abs(low) * 0.02 || 1 : high * 0.08 - low * 0.08
  return [Math.max(-MOST, low - pad), Math.min(MOST, high + pad)]
}
