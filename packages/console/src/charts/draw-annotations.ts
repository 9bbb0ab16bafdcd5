import type uPlot from 'uplot'
import type { Annotation } from './chart-line.ts'

/** More dashed lines would hide the data. */
const MAX_DASHED = 12

/** A mark above the chart for each text and, if they are few, a dashed line down through the chart. */
export function drawAnnotations(
  { ctx, bbox, valToPos }: uPlot,
  annotations: readonly Annotation[],
  ink: string,
): void {
  if (annotations.length === 0) return
  const ratio = devicePixelRatio
  ctx.save()
  ctx.strokeStyle = ink
  ctx.fillStyle = ink
  ctx.globalAlpha = 0.75
  ctx.lineWidth = ratio
  ctx.setLineDash([2 * ratio, 3 * ratio])
  for (const { time } of annotations) {
    const x = Math.round(valToPos(time, 'x', true))
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    if (annotations.length <= MAX_DASHED) {
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
    }
    ctx.beginPath()
    ctx.moveTo(x - 4 * ratio, bbox.top)
    ctx.lineTo(x + 4 * ratio, bbox.top)
    ctx.lineTo(x, bbox.top + 6 * ratio)
    ctx.fill()
  }
  ctx.restore()
}
