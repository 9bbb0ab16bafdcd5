import uPlot from 'uplot'
import { timeTexts, valueTexts } from './axis-texts.ts'
import { type ChartLine, isSwitch } from './chart-line.ts'
import { colourOf, inkOf } from './palette.ts'

export interface PlotLook {
  readonly lines: readonly ChartLine[]
  readonly width: number
  readonly height: number
  readonly isDark: boolean
  readonly zone: string
  /** Charts with the same key share their cursor. */
  readonly syncKey: string | undefined
  /** Index in the palette of the first line. */
  readonly colourFrom: number
  readonly mayZoom: boolean
}

/** Asked and told while it is drawn and moved about in. */
export interface PlotDoings {
  /** Unix seconds. */
  readonly range: () => [from: number, to: number]
  readonly oncursor: (index: number | null) => void
  /** A stretch was dragged out, in Unix seconds. */
  readonly onselect: (from: number, to: number) => void
  readonly ondraw: (plot: uPlot) => void
}

const FONT = '11.5px system-ui, sans-serif'
/** A click that slips is no drag. */
export const LEAST_DRAG_PX = 4

/** The units of some lines, each of which is an axis. */
export function unitsOf(lines: readonly ChartLine[]): readonly string[] {
  return [...new Set(lines.map(({ unit }) => unit ?? ''))]
}

export function plotOptions(look: PlotLook, doings: PlotDoings): uPlot.Options {
  const { lines, width, height, zone, syncKey, mayZoom } = look
  const units = unitsOf(lines)
  return {
    width,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    cursor: {
      ...(syncKey !== undefined && { sync: { key: syncKey } }),
      // Its place belongs to one chart, and the cursor is that of all.
      y: false,
      drag: { x: mayZoom, y: false, setScale: false },
      // With Shift the chart is moved.
      bind: { mousedown: (_self, _over, zoom) => (event) => (event.shiftKey ? null : zoom(event)) },
      points: { size: 7 },
    },
    legend: { show: false },
    scales: { x: { time: true, range: doings.range }, ...valueScales(units) },
    axes: axes(units, look),
    series: [{}, ...lines.flatMap((line, index) => series(line, index, look))],
    ...(lines.some(hasSpread) && {
      bands: lines.map((_, n) => ({
        series: [n * 3 + 3, n * 3 + 2] as [number, number],
        fill: `${colourOf(n + look.colourFrom, look.isDark)}2e`,
      })),
    }),
    hooks: {
      setCursor: [(self) => doings.oncursor(self.cursor.idx ?? null)],
      setSelect: [
        (self) => {
          const { left, width: chosen } = self.select
          if (chosen < LEAST_DRAG_PX) return
          const [from, to] = [self.posToVal(left, 'x'), self.posToVal(left + chosen, 'x')]
          self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          doings.onselect(from, to)
        },
      ],
      draw: [doings.ondraw],
    },
  }
}

/** One for time, and one for each of two units. They take the same room in every chart: times lie above each other. */
function axes(units: readonly string[], { lines, isDark, zone }: PlotLook): uPlot.Axis[] {
  const ink = inkOf(isDark)
  const axis = {
    stroke: ink.text,
    font: FONT,
    grid: { stroke: ink.grid, width: 1 },
    ticks: { stroke: ink.grid, width: 1, size: 4 },
  }
  return [
    { ...axis, size: 30, values: (_, splits, _axis, _space, step) => timeTexts(zone, splits, step) },
    ...units.slice(0, 2).map(
      (unit, index): uPlot.Axis => ({
        ...axis,
        scale: `y${index}`,
        side: index === 0 ? 3 : 1,
        size: 60,
        ...(areSwitches(unit, lines) && { splits: [0, 1] }),
        grid: { ...axis.grid, show: index === 0 },
        values: (_, splits) => valueTexts(splits),
        label: unit === '' ? ' ' : unit,
        labelSize: 16,
        labelFont: FONT,
      }),
    ),
  ]
}

/** Between open and closed there is nothing to read off. */
function areSwitches(unit: string, lines: readonly ChartLine[]): boolean {
  return lines.filter((line) => (line.unit ?? '') === unit).every(isSwitch)
}

/** The mean, and without a stroke the least and the greatest, between which is the band. */
function series(line: ChartLine, index: number, { lines, isDark, colourFrom }: PlotLook): uPlot.Series[] {
  const scale = `y${unitsOf(lines).indexOf(line.unit ?? '')}`
  const hidden = { scale, stroke: 'transparent', width: 0, points: { show: false } }
  const paths = isSwitch(line) ? uPlot.paths.stepped?.({ align: 1 }) : undefined
  const stroke = colourOf(index + colourFrom, isDark)
  const mean = { label: line.label, scale, stroke, width: 1.6, points: { size: 4 }, ...(paths && { paths }) }
  return [mean, hidden, hidden]
}

function hasSpread({ min, max }: ChartLine): boolean {
  return min !== undefined && max !== undefined && min.some((low, index) => low !== max[index])
}

/** A value that never changes is a line in the middle, and not one far above zero. */
function valueScales(units: readonly string[]): uPlot.Scales {
  const range: uPlot.Range.Function = (_, low, high) => {
    if (low === null || high === null) return [0, 1]
    const pad = low === high ? Math.abs(low) * 0.02 || 1 : (high - low) * 0.08
    return [low - pad, high + pad]
  }
  return Object.fromEntries(units.map((_, index) => [`y${index}`, { range }]))
}
