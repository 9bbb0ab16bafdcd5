/** What the axes take of the width. */
const AXES_PX = 100

/** One pixel, one bucket. In steps, so that a window that is drawn wider does not ask at each pixel. */
export function pointsFor(widthPx: number): number {
  return Math.max(50, Math.min(2_000, Math.floor(((widthPx || 900) - AXES_PX) / 50) * 50))
}
