/**
 * Distinct with colour blindness, readable on both backgrounds: found by a search over the distances in OKLab for
 * normal vision, protanopia, deuteranopia and tritanopia (palette.test.ts has the bounds).
 */
const LIGHT = ['#0b6b64', '#d18005', '#436cff', '#d10b00', '#9987bb', '#9500b5', '#7e0e08', '#3a356f']
const DARK = ['#4fc9bd', '#f18f21', '#435eff', '#e2308b', '#aa91ff', '#94ff77', '#ffe0ff', '#a15f00']

/** Strokes and gaps in pixels, one for each round through the colours. */
const DASHES = [[], [8, 4], [2, 3], [9, 3, 2, 3], [16, 4], [4, 7], [2, 8], [12, 3, 2, 3, 2, 3]] as const

export interface LineStyle {
  readonly colour: string
  readonly dash: readonly number[]
}

/** Style of the line with this index; 64 lines are distinct. */
export function lineStyle(index: number, isDark: boolean): LineStyle {
  const colours = isDark ? DARK : LIGHT
  return {
    colour: colours[index % colours.length] ?? '#888888',
    dash: DASHES[Math.floor(index / colours.length) % DASHES.length] ?? [],
  }
}

/** Colours of the axes and the grid. */
export function inkOf(isDark: boolean): { readonly text: string; readonly grid: string } {
  return isDark ? { text: '#9fb0bb', grid: '#24303870' } : { text: '#53626e', grid: '#d9e0e390' }
}
