import type uPlot from 'uplot'

/** Width of the value axes on both sides of a plot, in CSS pixels. */
export interface AxisRoom {
  readonly left: number
  readonly right: number
}

/**
 * Charts in a column: they share a cursor and are aligned in time. The widest axes on a side set the width of that side
 * for all.
 */
export class ChartGroup implements AxisRoom {
  /** Key of the shared cursor. It has a prefix because uPlot keeps keys in an object, where `constructor` is taken. */
  readonly key: string
  left = $state(0)
  right = $state(0)
  readonly #rooms = new Map<uPlot, AxisRoom>()

  constructor(name: string) {
    this.key = `charts of ${name}`
  }

  /** Reports the width of the axes of one chart. */
  need(plot: uPlot, room: AxisRoom): void {
    this.#rooms.set(plot, room)
    this.#share()
  }

  leave(plot: uPlot): void {
    this.#rooms.delete(plot)
    this.#share()
  }

  #share(): void {
    const rooms = [...this.#rooms.values()]
    this.left = Math.max(0, ...rooms.map(({ left }) => left))
    this.right = Math.max(0, ...rooms.map(({ right }) => right))
  }
}
