import { createReadStream, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'

export interface Input {
  /** Its path; null for standard input. */
  readonly file: string | null
  /** null if unknown. */
  readonly totalBytes: number | null
  /** Bytes of the file that were read. */
  readBytes(): number
  chunks(): AsyncIterable<Buffer>
}

const CHUNK_BYTES = 256 * 1024

/** @param path `-` is standard input; a name that ends in .gz is unpacked. @throws QsError if it is no file to be read */
export function openInput(path: string, stdin: Readable): Input {
  if (path === '-') return { file: null, totalBytes: null, readBytes: () => 0, chunks: () => stdin }
  let totalBytes: number
  try {
    const found = statSync(path)
    if (!found.isFile()) throw new QsError('IMPORT_UNREADABLE', `${path} is not a file`)
    totalBytes = found.size
  } catch (error) {
    throw error instanceof QsError ? error : unreadable(path, error)
  }
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES })
  return {
    ...{ file: path, totalBytes, readBytes: () => file.bytesRead },
    chunks: () => explained(path, path.endsWith('.gz') ? file.pipe(createGunzip()) : file, file),
  }
}

async function* explained(path: string, stream: Readable, file: Readable): AsyncGenerator<Buffer> {
  file.on('error', (error) => stream.destroy(error))
  try {
    yield* stream
  } catch (error) {
    throw unreadable(path, error)
  } finally {
    file.destroy()
  }
}

function unreadable(path: string, error: unknown): QsError {
  return new QsError('IMPORT_UNREADABLE', `${path} cannot be read: ${reasonOf(error)}`, { cause: error })
}
