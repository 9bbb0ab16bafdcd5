import type { ExportProgress } from '@qs-telemetry/protocol/api'

/** Maximum number of exports kept; the oldest are dropped first. */
const MAX_KNOWN = 200

/** Progress of exports, for pages: a browser does not report downloads to a page. */
export class ExportBook {
  readonly #known = new Map<string, ExportProgress>()

  find(key: string): ExportProgress {
    return this.#known.get(key) ?? { state: 'unknown', events: 0 }
  }

  /**
   * Counts the events of an export as they are read.
   *
   * @param ended resolves at the end of the response: true if it was sent completely
   */
  follow<T>(
    key: string,
    parts: AsyncIterable<readonly T[]>,
    ended: Promise<boolean>,
  ): AsyncIterable<readonly T[]> {
    let events = 0
    let isOver = false
    this.#set(key, { state: 'running', events })
    void ended.then((isWhole) => {
      isOver = true
      this.#set(key, { state: isWhole ? 'complete' : 'broken', events })
    })
    const count = (part: readonly T[]) => {
      events += part.length
      if (!isOver) this.#set(key, { state: 'running', events })
      return part
    }
    return counted(parts, count)
  }

  #set(key: string, progress: ExportProgress): void {
    this.#known.delete(key)
    this.#known.set(key, progress)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest)
  }
}

async function* counted<T>(parts: AsyncIterable<T>, count: (part: T) => T): AsyncGenerator<T> {
  for await (const part of parts) yield count(part)
}
