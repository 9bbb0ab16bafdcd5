/** Told apart by people who do not see all colours (after Okabe and Ito), readable on both grounds. */
const LIGHT = ['#0b6b64', '#b5480f', '#3b5bdb', '#8a3fa0', '#8a6d00', '#c2255c', '#2b8a3e', '#495057']
const DARK = ['#4fc9bd', '#ff9a62', '#91a7ff', '#d39bea', '#f0cf5b', '#ff8fb1', '#7ddc92', '#c3ccd3']

export function colourOf(index: number, isDark: boolean): string {
  const colours = isDark ? DARK : LIGHT
  return colours[index % colours.length] ?? '#888888'
}

/** The axes and the grid. */
export function inkOf(isDark: boolean): { readonly text: string; readonly grid: string } {
  return isDark ? { text: '#9fb0bb', grid: '#24303870' } : { text: '#53626e', grid: '#d9e0e390' }
}
