import { type FileHandle, open } from 'node:fs/promises'
import { decompress } from '@bokuweb/zstd-wasm'
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { QsError } from '../errors/qs-error.ts'
import { zstd } from '../parquet/zstd.ts'
import { type ColdRow, fromFile } from './cold-event.ts'

/** As many events as the end of the file says; null if that is not the end of a Parquet file. */
export async function countEvents(path: string): Promise<number | null> {
  const handle = await open(path)
  try {
    const metadata = await parquetMetadataAsync(await bufferOf(handle))
    return Number(metadata.num_rows)
  } catch {
    return null
  } finally {
    await handle.close()
  }
}

/**
 * The events of a file in their order, with one row group in memory.
 *
 * @throws QsError if it is damaged
 */
export async function* readColdFile(path: string): AsyncGenerator<ColdRow> {
  await zstd()
  const handle = await open(path)
  try {
    const file = await bufferOf(handle)
    const metadata = await parquetMetadataAsync(file)
    let rowStart = 0
    for (const { num_rows } of metadata.row_groups) {
      const rowEnd = rowStart + Number(num_rows)
      const rows = await parquetReadObjects({ ...{ file, metadata, rowStart, rowEnd }, ...DECODERS })
      for (const row of rows) yield fromFile(row)
      rowStart = rowEnd
    }
  } catch (cause) {
    throw new QsError('EXPORT_UNUSABLE', `${path} is damaged`, { cause })
  } finally {
    await handle.close()
  }
}

const DECODERS = {
  compressors: { ZSTD: (input: Uint8Array) => decompress(input) },
  parsers: {
    timestampFromMicroseconds: (micros: bigint) => micros,
    // Without TextDecoder, which removes a byte order mark. Called for null too.
    stringFromBytes: (bytes: Uint8Array | null | undefined) =>
      bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(),
  },
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat()
  return {
    byteLength: size,
    slice: async (start, end = size) => {
      const bytes = new Uint8Array(end - start)
      await handle.read(bytes, 0, bytes.length, start)
      return bytes.buffer
    },
  }
}
