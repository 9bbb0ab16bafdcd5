import type { CallOff } from '../../packages/qs/src/pipeline/clock.ts'

interface Entry {
  readonly atMs: number
  readonly order: number
  act: (() => void) | null
}

/**
 * How many steps wait in the event loop at once. Node drains promises and nextTicks between two immediates, so each
 * step finishes before the next; a loop turn for each step would cost three times as much.
 */
const STEPS_A_TURN = 32

/** The schedule. Time is a number that jumps to the next entry; the order is always the same. */
export class Timeline {
  #nowMs = 0
  #order = 0
  #steps = 0
  readonly #heap: Entry[] = []

  get nowMs(): number {
    return this.#nowMs
  }

  get steps(): number {
    return this.#steps
  }

  after(ms: number, act: () => void): CallOff {
    return this.at(this.#nowMs + ms, act)
  }

  /** Entries of the same time run in the order of their scheduling. */
  at(atMs: number, act: () => void): CallOff {
    const entry: Entry = { atMs: Math.max(this.#nowMs, atMs), order: this.#order++, act }
    this.#push(entry)
    return () => {
      entry.act = null
    }
  }

  /** Runs until `isOver` returns true, the time is up or no entry is left. @throws what a step threw */
  run(isOver: () => boolean, untilMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let hasEnded = false
      const turn = () => {
        if (hasEnded) return
        try {
          hasEnded = isOver() || !this.#step(untilMs)
          if (hasEnded) resolve()
          else setImmediate(turn)
        } catch (error) {
          hasEnded = true
          reject(error)
        }
      }
      for (let n = 0; n < STEPS_A_TURN; n++) setImmediate(turn)
    })
  }

  #step(untilMs: number): boolean {
    for (;;) {
      const entry = this.#heap[0]
      if (entry === undefined || entry.atMs > untilMs) return false
      this.#pop()
      if (entry.act === null) continue
      this.#nowMs = entry.atMs
      this.#steps++
      entry.act()
      return true
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(entry, heap[parent] as Entry)) break
      heap[at] = heap[parent] as Entry
      at = parent
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Entry
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child++
      if (!isBefore(heap[child] as Entry, last)) break
      heap[at] = heap[child] as Entry
      at = child
    }
    heap[at] = last
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
}
