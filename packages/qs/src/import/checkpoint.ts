import { createHash } from 'node:crypto'
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { logged } from '../errors/reason-of.ts'

/** How far an import is. */
export interface Progress {
  /** Records of the input that are done: stored, found stored already, or in the file of rejects. */
  readonly records: number
  readonly stored: number
  readonly duplicate: number
  readonly bad: number
  /** Length of the file of rejects and of its reasons, so that none is in them twice. */
  readonly rejectsBytes: number
  readonly reasonsBytes: number
}

export const NOTHING_DONE: Progress = {
  ...{ records: 0, stored: 0, duplicate: 0, bad: 0 },
  ...{ rejectsBytes: 0, reasonsBytes: 0 },
}

/** So many bytes at the beginning of a file, and the options, tell whether it is the same import. */
const COMPARED_BYTES = 64 * 1024

/**
 * Where an import is, in a file next to its input, for the next run of the same command. It says at most what is
 * committed: what is done again is found to be stored already. Without it, as for standard input, the next run begins
 * with the first line.
 */
export class Checkpoint {
  readonly path: string | null
  readonly #key: string
  #problem: string | null = null

  /** @param options what changes the meaning of a line */
  constructor(file: string | null, options: unknown) {
    this.path = file === null ? null : `${file}.qs-import`
    this.#key = file === null ? '' : keyOf(file, options)
  }

  /** Why it cannot be written; null if it can. */
  get problem(): string | null {
    return this.#problem
  }

  read(): Progress | null {
    if (this.path === null) return null
    try {
      const { key, ...progress } = JSON.parse(readFileSync(this.path, 'utf8')) as Progress & { key: string }
      return key === this.#key ? progress : null
    } catch {
      return null
    }
  }

  write(progress: Progress): void {
    if (this.path === null || this.#problem !== null) return
    try {
      writeFileSync(`${this.path}.new`, JSON.stringify({ key: this.#key, ...progress }))
      renameSync(`${this.path}.new`, this.path)
    } catch (error) {
      this.#problem = logged(error).reason
    }
  }

  remove(): void {
    if (this.path !== null) rmSync(this.path, { force: true })
  }
}

function keyOf(file: string, options: unknown): string {
  const bytes = Buffer.alloc(COMPARED_BYTES)
  const descriptor = openSync(file, 'r')
  const read = readSync(descriptor, bytes, 0, COMPARED_BYTES, 0)
  closeSync(descriptor)
  const hash = createHash('sha256').update(JSON.stringify([options, statSync(file).size]))
  return hash.update(bytes.subarray(0, read)).digest('hex')
}
