import type { Readable } from 'node:stream'
import { HttpProblem } from '../problem.ts'

/** An export reads for as long as its client takes: each may have one, and a few are under way at a time. */
const MAX_UNDER_WAY = 3

/** The exports that are under way, by session; by address where nobody logs in. */
export class OneExport {
  readonly #underWay = new Set<string>()

  /**
   * Counts a stream until it is closed, at its end or because its client left.
   *
   * @param key of the session, or of the address
   * @throws HttpProblem 429
   */
  run(key: string, makeStream: () => Readable): Readable {
    if (this.#underWay.has(key))
      throw new HttpProblem(
        429,
        'Your export before this one is still running. Wait for its end, or cancel it.',
      )
    if (this.#underWay.size >= MAX_UNDER_WAY)
      throw new HttpProblem(
        429,
        `${MAX_UNDER_WAY} exports are running already. Try again when one has ended.`,
      )
    this.#underWay.add(key)
    const stream = makeStream()
    stream.once('close', () => this.#underWay.delete(key))
    return stream
  }
}
