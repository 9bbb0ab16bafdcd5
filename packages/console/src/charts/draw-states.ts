import type uPlot from 'uplot'
import { FONT } from './frame-options.ts'
import { inkOf, lineStyle } from './palette.ts'
import type { StateRow } from './states.ts'

export interface StateLook {
  /** Values of all rows, in the order of their colours. */
  readonly values: readonly string[]
  readonly isDark: boolean
}

/** In CSS pixels: height of a row and of the bar at its bottom, least width of a state, inset of its text. */
export const ROW_PX = 40
const [BAR_PX, LEAST_PX, TEXT_PX] = [20, 2, 6]

/** A row for each series: its name and, below it, a bar for each state, labelled if the text fits. */
export function drawStates(plot: uPlot, rows: readonly StateRow[], look: StateLook): void {
  const { isDark } = look
  const { ctx, bbox } = plot
  const ratio = devicePixelRatio
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  ctx.font = FONT.replace(/[\d.]+/, (size) => String(Number(size) * ratio))
  ctx.textAlign = 'left'
  ctx.textBaseline = 'middle'
  for (const [index, { label, spans }] of rows.entries()) {
    const top = bbox.top + (index * ROW_PX + ROW_PX - BAR_PX) * ratio
    ctx.fillStyle = inkOf(isDark).text
    ctx.fillText(label, bbox.left + 2 * ratio, top - ((ROW_PX - BAR_PX) / 2) * ratio)
    for (const { from, to, text } of spans) {
      const [left, right] = [plot.valToPos(from, 'x', true), plot.valToPos(to, 'x', true)]
      const width = Math.max(LEAST_PX * ratio, right - left)
      const { fill, edge } = stateColours(text, look)
      ctx.fillStyle = fill
      ctx.fillRect(left, top, width, BAR_PX * ratio)
      ctx.fillStyle = edge
      ctx.fillRect(left, top, LEAST_PX * ratio, BAR_PX * ratio)
      if (ctx.measureText(text).width > width - 2 * TEXT_PX * ratio) continue
      ctx.fillStyle = isDark ? '#e5ecf0' : '#17212b'
      ctx.fillText(text, left + TEXT_PX * ratio, top + (BAR_PX / 2) * ratio)
    }
  }
  ctx.restore()
}

/** Off stays in the background: only the edge of a 0 stands out. */
export function stateColours(text: string, { values, isDark }: StateLook) {
  const { colour } = lineStyle(values.indexOf(text), isDark)
  return text === '0'
    ? { fill: inkOf(isDark).grid, edge: inkOf(isDark).text }
    : { fill: `${colour}4d`, edge: colour }
}
