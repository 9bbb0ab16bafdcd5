import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import type { Progress } from './checkpoint.ts'
import type { LineFault } from './source-record.ts'

const LF = Buffer.from('\n')

/**
 * The lines that were not imported, as they were read, to be corrected and imported; and beside them their numbers and
 * reasons.
 */
export class Rejects {
  readonly #lines: number
  readonly #reasons: number
  #lengths: Pick<Progress, 'rejectsBytes' | 'reasonsBytes'>

  /** @param done what an earlier run has written; what follows it is cut off */
  constructor(path: string, done: Pick<Progress, 'rejectsBytes' | 'reasonsBytes'>) {
    this.#lengths = { rejectsBytes: done.rejectsBytes, reasonsBytes: done.reasonsBytes }
    this.#lines = openAt(path, done.rejectsBytes)
    this.#reasons = openAt(`${path}.reasons`, done.reasonsBytes)
  }

  get lengths(): Pick<Progress, 'rejectsBytes' | 'reasonsBytes'> {
    return this.#lengths
  }

  /** @param header of a CSV, before the first line */
  add(line: number, raw: Buffer, { code, message }: LineFault, header: Buffer | null): void {
    const { rejectsBytes, reasonsBytes } = this.#lengths
    const begin = rejectsBytes === 0 && header !== null ? [header, LF] : []
    const lines = Buffer.concat([...begin, raw, LF])
    const reason = Buffer.from(`${line}: ${code}: ${message.replaceAll('\n', ' ')}\n`)
    writeAll(this.#lines, lines, rejectsBytes)
    writeAll(this.#reasons, reason, reasonsBytes)
    this.#lengths = { rejectsBytes: rejectsBytes + lines.length, reasonsBytes: reasonsBytes + reason.length }
  }

  close(): void {
    closeSync(this.#lines)
    closeSync(this.#reasons)
  }
}

function openAt(path: string, length: number): number {
  const descriptor = openSync(path, length === 0 ? 'w' : 'r+')
  ftruncateSync(descriptor, length)
  return descriptor
}

function writeAll(descriptor: number, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length; )
    at += writeSync(descriptor, bytes, at, bytes.length - at, position + at)
}
