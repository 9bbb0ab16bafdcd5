import uPlot from 'uplot'
import { timeTexts } from './axis-texts.ts'
import type { AxisRoom, ChartGroup } from './chart-group.svelte.ts'
import { inkOf } from './palette.ts'
import { timeMarks } from './time-marks.ts'

export interface FrameLook {
  readonly width: number
  readonly height: number
  readonly isDark: boolean
  readonly zone: string
  readonly group: ChartGroup
  readonly mayZoom: boolean
}

/** Callbacks for zooming and panning in a chart. */
export interface Moves {
  readonly onzoom?: (fromMs: number, toMs: number) => void
  readonly onpan?: (share: number) => void
  readonly onscale?: (factor: number) => void
  readonly onreset?: () => void
}

/** Called by the plot. */
export interface PlotActions {
  /** Unix seconds. */
  readonly range: () => [from: number, to: number]
  /** Unix seconds under the cursor; null if it is outside the chart. */
  readonly oncursor: (time: number | null) => void
  /** A range was selected by dragging, in Unix seconds. */
  readonly onselect: (from: number, to: number) => void
  readonly ondraw: (plot: uPlot) => void
}

const NARROW_PX = 500
/** Half the width of the last label on the time axis. */
const RIGHT_PX = 16
/** Least width of a value axis: its labels and its unit. */
export const axisPx = (width: number) =>
  width < NARROW_PX ? { marks: 44, unit: 14 } : { marks: 60, unit: 16 }

/** Padding beside the axes that makes the plot as wide as the others in its group. */
export function sidePadding({ group, width }: FrameLook, own: () => AxisRoom): uPlot.Padding {
  const { marks, unit } = axisPx(width)
  const beside =
    (side: keyof AxisRoom): uPlot.PaddingSide =>
    (plot) => {
      const { left, right } = own()
      group.need(plot, { left: Math.max(left, marks + unit), right: Math.max(right, RIGHT_PX) })
      return group[side] - own()[side]
    }
  return [null, beside('right'), null, beside('left')]
}

export const FONT = '11.5px system-ui, sans-serif'
/** A click that slips is not a drag. */
export const LEAST_DRAG_PX = 4

/** Options shared by all charts over time: time axis, cursor, zoom by dragging. */
export function frameOptions(
  { width, height, zone, group, mayZoom, isDark }: FrameLook,
  actions: PlotActions,
): Pick<uPlot.Options, 'width' | 'height' | 'cursor' | 'legend' | 'hooks' | 'tzDate'> & {
  readonly scale: uPlot.Scale
  readonly axis: uPlot.Axis
} {
  return {
    width,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    cursor: {
      sync: { key: group.key },
      // The charts share the cursor's time, not its height.
      y: false,
      drag: { x: mayZoom, y: false, setScale: false },
      // With Shift, dragging pans the chart.
      bind: { mousedown: (_self, _over, zoom) => (event) => (event.shiftKey ? null : zoom(event)) },
      points: { size: 7 },
      // The dot marks the point shown: the nearest one of its line, even from within a silence.
      hover: { skip: [undefined, null] },
    },
    legend: { show: false },
    scale: { time: true, range: actions.range },
    axis: {
      ...axisLook(isDark),
      size: 30,
      splits: (_, _axis, from, to, step) => timeMarks(zone, [from, to], step),
      values: (_, splits, _axis, _space, step) => timeTexts(zone, splits, step),
    },
    hooks: {
      setCursor: [
        (self) => {
          const { idx, left = -1 } = self.cursor
          actions.oncursor(typeof idx === 'number' ? self.posToVal(left, 'x') : null)
        },
      ],
      setSelect: [
        (self) => {
          const { left, width: chosen } = self.select
          if (chosen < LEAST_DRAG_PX) return
          const [from, to] = [self.posToVal(left, 'x'), self.posToVal(left + chosen, 'x')]
          self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          actions.onselect(from, to)
        },
      ],
      draw: [actions.ondraw],
    },
  }
}

export function axisLook(isDark: boolean): Pick<uPlot.Axis, 'stroke' | 'font' | 'grid' | 'ticks'> {
  const ink = inkOf(isDark)
  return {
    stroke: ink.text,
    font: FONT,
    grid: { stroke: ink.grid, width: 1 },
    ticks: { stroke: ink.grid, width: 1, size: 4 },
  }
}
