/** Width of the axes. */
const AXES_PX = 100

/** One bucket per pixel, in steps, so that resizing a window does not send a request for each pixel. */
export function pointsFor(widthPx: number): number {
  return Math.max(50, Math.min(2_000, Math.floor(((widthPx || 900) - AXES_PX) / 50) * 50))
}
