import { figure } from './figures.ts'
import { element, FAINT, INK, text } from './svg.ts'

export interface Line {
  readonly label: string
  readonly color: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

export interface Axes {
  readonly x: string
  readonly y: string
}

const WIDTH = 720
const HEIGHT = 300
const PLOT = { left: 70, right: 150, top: 24, bottom: 44 }
const TICKS = 4

/** Lines over x and y axes that start at 0. */
export function lines(all: readonly Line[], axes: Axes) {
  const points = all.flatMap((line) => line.points)
  const most = {
    x: Math.max(1, ...points.map(({ x }) => x)),
    y: roundUp(Math.max(...points.map(({ y }) => y))),
  }
  const [plotWidth, plotHeight] = [WIDTH - PLOT.left - PLOT.right, HEIGHT - PLOT.top - PLOT.bottom]
  const at = ({ x, y }: { x: number; y: number }) => ({
    x: PLOT.left + (x / most.x) * plotWidth,
    y: PLOT.top + (1 - y / most.y) * plotHeight,
  })
  const small = { 'font-size': 11, fill: FAINT }
  const grid = Array.from({ length: TICKS + 1 }, (_, tick) => {
    const value = (most.y * tick) / TICKS
    const { y } = at({ x: 0, y: value })
    const rule = { x1: PLOT.left, x2: PLOT.left + plotWidth, y1: y, y2: y, stroke: '#e5e7eb' }
    return (
      element('line', rule) + text(PLOT.left - 8, y + 4, figure(value), { ...small, 'text-anchor': 'end' })
    )
  })
  const xs = [...new Set(points.map(({ x }) => x))]
  // The first steps of a growing table lie close together.
  const named = xs.filter((x) => x === 0 || x / most.x > 0.1)
  const ticks = named.map((x) =>
    text(at({ x, y: 0 }).x, HEIGHT - PLOT.bottom + 18, short(x), { ...small, 'text-anchor': 'middle' }),
  )
  const drawn = all.flatMap(({ label, color, points: own }) => {
    const places = own.map(at)
    const path = places.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')
    const last = places.at(-1) ?? { x: 0, y: 0 }
    return [
      element('polyline', { points: path, fill: 'none', stroke: color, 'stroke-width': 2 }),
      ...places.map(({ x, y }) =>
        element('circle', { cx: x.toFixed(1), cy: y.toFixed(1), r: 3.5, fill: color }),
      ),
      text(last.x + 10, last.y + 4, label, { 'font-size': 12, fill: color, 'font-weight': 600 }),
    ]
  })
  const names = [
    text(20, 12, axes.y, { 'font-size': 12, fill: INK }),
    text(PLOT.left + plotWidth / 2, HEIGHT - 8, axes.x, {
      'font-size': 12,
      fill: INK,
      'text-anchor': 'middle',
    }),
  ]
  return { width: WIDTH, height: HEIGHT, body: [...grid, ...ticks, ...drawn, ...names].join('\n') }
}

function short(value: number): string {
  return value >= 1e6 ? `${figure(value / 1e6)} M` : figure(value)
}

/** Rounds up to a value that four ticks divide evenly. */
function roundUp(value: number): number {
  const step = 10 ** Math.floor(Math.log10(value)) / 2.5
  return Math.ceil(value / step) * step
}
