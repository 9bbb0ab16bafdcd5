import type uPlot from 'uplot'

/** A shorter piece of a line is invisible, or clipped with the silence beside it. */
const LEAST_PX = 3

/** Indexes of the points that a line does not show: those of very narrow pieces between two silences. */
export function lonePoints(plot: uPlot, seriesIndex: number): number[] {
  const [from = 0, to = -1] = plot.series[0]?.idxs ?? []
  const [xs, ys = []] = [plot.data[0], plot.data[seriesIndex]]
  const place = (index: number) => plot.valToPos(xs[index] ?? 0, 'x')
  const lone: number[] = []
  let piece: number[] = []
  const end = () => {
    const [first, last] = [piece[0], piece.at(-1)]
    if (first !== undefined && last !== undefined && place(last) - place(first) < LEAST_PX)
      lone.push(...piece)
    piece = []
  }
  for (let index = from; index <= to; index++) {
    // undefined: another line has a point there, and this one continues.
    if (ys[index] === null) end()
    else if (ys[index] !== undefined) piece.push(index)
  }
  end()
  return lone
}
