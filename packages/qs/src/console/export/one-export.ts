import type { Readable } from 'node:stream'
import { QsError } from '../../errors/qs-error.ts'

/** An export runs as long as its client reads, so each client may have one, and only a few run at a time. */
const MAX_UNDER_WAY = 3

/** Running exports by session, or by address if the console has no login. */
export class OneExport {
  readonly #underWay = new Set<string>()

  /**
   * Counts a stream as running until it closes.
   *
   * @param key session or address
   * @throws QsError 429
   */
  run(key: string, makeStream: () => Readable): Readable {
    if (this.#underWay.has(key))
      throw new QsError('TOO_MANY_REQUESTS', 'Your previous export is still running')
    if (this.#underWay.size >= MAX_UNDER_WAY)
      throw new QsError('CONSOLE_BUSY', `${MAX_UNDER_WAY} exports are already running`)
    this.#underWay.add(key)
    const stream = makeStream()
    stream.once('close', () => this.#underWay.delete(key))
    return stream
  }
}
