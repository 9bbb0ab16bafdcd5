import { type ColdRow, inOrder, isSameEvent } from './cold-event.ts'
import { readColdFile } from './read-cold-file.ts'

/** Goes through a file beside the rows of the database, which have the same order. */
export class FileWalk {
  readonly #rows: AsyncGenerator<ColdRow>
  #next: ColdRow | null | undefined
  #isCovered = true

  constructor(path: string) {
    this.#rows = readColdFile(path)
  }

  /** Whether the event of the database is in the file. Ask for each, in order. */
  async has(row: ColdRow): Promise<boolean> {
    for (;;) {
      const next = this.#next === undefined ? await this.#read() : this.#next
      const order = next === null ? 1 : inOrder(next, row)
      if (next === null || order > 0) return false
      this.#next = undefined
      if (order === 0 && isSameEvent(next, row)) return true
      this.#isCovered = false
    }
  }

  /** At the end: whether the database has all events of the file. */
  async isCovered(): Promise<boolean> {
    return this.#isCovered && (this.#next ?? (await this.#read())) === null
  }

  async close(): Promise<void> {
    await this.#rows.return(undefined)
  }

  async #read(): Promise<ColdRow | null> {
    const { done, value } = await this.#rows.next()
    this.#next = done ? null : value
    return this.#next
  }
}

/** Whether the event is in one of the files. */
export async function isInAny(walks: readonly FileWalk[], row: ColdRow): Promise<boolean> {
  let isFound = false
  // Each of them has to go on.
  for (const walk of walks) if (await walk.has(row)) isFound = true
  return isFound
}
