import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decompress } from '@bokuweb/zstd-wasm'
import { parquetReadObjects } from 'hyparquet'
import { zstd } from '../../src/parquet/zstd.ts'

export type Read = Readonly<Record<string, unknown>>

/** All files of an export, oldest month first. */
export function coldFiles(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.parquet'))
    .sort()
}

/** The events of these files; times are microseconds. Fails at a file that is not whole. */
export async function readCold(directory: string, paths = coldFiles(directory)): Promise<readonly Read[]> {
  await zstd()
  const micros = (value: bigint) => value as unknown as Date
  const rows: Read[] = []
  for (const path of paths) {
    const bytes = readFileSync(join(directory, path))
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
    rows.push(
      ...(await parquetReadObjects({
        file,
        compressors: { ZSTD: (input) => decompress(input) },
        parsers: { timestampFromMicroseconds: micros },
      })),
    )
  }
  return rows
}
