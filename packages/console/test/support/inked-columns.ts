/// <reference lib="dom" />
import type { Page } from 'playwright-core'

/** Colour of the first line in the light theme. */
export const FIRST_COLOUR = [11, 107, 100] as const

/**
 * For each column of pixels of the first chart on the page, whether something in this colour is drawn in it, from the
 * left end of the time axis to the right one.
 *
 * @param blended share of the background in a pixel that still counts: a thin line has few pixels in its full colour
 */
export function inkedColumns(
  page: Page,
  colour: readonly [number, number, number],
  blended = 0.65,
): Promise<readonly boolean[]> {
  return page.evaluate(
    ([wanted, share]) => {
      const [canvas, over] = [document.querySelector('canvas'), document.querySelector('.u-over')]
      if (!canvas || !over) throw new Error('The page has no chart')
      // Chromium logs a warning if a canvas without `willReadFrequently` is read often.
      const copy = new OffscreenCanvas(canvas.width, canvas.height)
      const context = copy.getContext('2d', { willReadFrequently: true })
      if (!context) throw new Error('The browser draws nothing')
      context.drawImage(canvas, 0, 0)
      const [all, inside] = [canvas.getBoundingClientRect(), over.getBoundingClientRect()]
      const scale = canvas.width / all.width
      const [left, top] = [(inside.left - all.left) * scale, (inside.top - all.top) * scale].map(Math.round)
      const [width, height] = [inside.width * scale, inside.height * scale].map(Math.round)
      const { data } = context.getImageData(left ?? 0, top ?? 0, width ?? 0, height ?? 0)
      const isInked = (at: number) =>
        (data[at + 3] ?? 0) > 100 &&
        wanted.every((each, n) => Math.abs((data[at + n] ?? 0) - each) < (255 - each) * share)
      return Array.from({ length: width ?? 0 }, (_, x) => {
        for (let y = 0; y < (height ?? 0); y++) if (isInked((y * (width ?? 0) + x) * 4)) return true
        return false
      })
    },
    [colour, blended] as const,
  )
}
