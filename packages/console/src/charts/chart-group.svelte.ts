import type uPlot from 'uplot'

/** What the axes of values take on both sides of a plot, in CSS pixels. */
export interface AxisRoom {
  readonly left: number
  readonly right: number
}

/**
 * Charts that stand above each other: they share a cursor, and the same moment is at the same place in all of them. The chart with the
 * widest axes on a side makes room on that side for all.
 */
export class ChartGroup implements AxisRoom {
  /** Of the shared cursor. With a prefix: uPlot keeps its keys in an object, where `constructor` is taken. */
  readonly key: string
  left = $state(0)
  right = $state(0)
  readonly #rooms = new Map<uPlot, AxisRoom>()

  constructor(name: string) {
    this.key = `charts of ${name}`
  }

  /** What the axes of one chart need. */
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
