import { figure } from './figures.ts'
import { element, FAINT, INK, text } from './svg.ts'

export interface Bar {
  readonly label: string
  readonly value: number
  readonly color: string
}

export interface BarGroup {
  readonly title: string
  readonly bars: readonly Bar[]
}

const WIDTH = 740
const LABEL_WIDTH = 275
const ROW_HEIGHT = 24
const HEAD_HEIGHT = 30
const FIGURE_WIDTH = 90

/** Groups of horizontal bars on one scale from 0, each labelled with its value. */
export function bars(groups: readonly BarGroup[], digits: number) {
  const most = Math.max(...groups.flatMap((group) => group.bars.map(({ value }) => value)))
  const scale = (WIDTH - LABEL_WIDTH - FIGURE_WIDTH) / most
  let y = 0
  const parts: string[] = []
  for (const group of groups) {
    parts.push(text(20, y + 20, group.title, { 'font-size': 12, 'font-weight': 600, fill: FAINT }))
    y += HEAD_HEIGHT
    for (const { label, value, color } of group.bars) {
      const width = Math.max(1, value * scale)
      parts.push(
        text(LABEL_WIDTH - 10, y + 15, label, { 'font-size': 13, 'text-anchor': 'end', fill: INK }),
        element('rect', {
          x: LABEL_WIDTH,
          y: y + 2,
          width: width.toFixed(1),
          height: 18,
          rx: 2,
          fill: color,
        }),
        text(LABEL_WIDTH + width + 6, y + 15, figure(value, digits), { 'font-size': 12, fill: INK }),
      )
      y += ROW_HEIGHT
    }
    y += 8
  }
  return { width: WIDTH, height: y, body: parts.join('\n') }
}
