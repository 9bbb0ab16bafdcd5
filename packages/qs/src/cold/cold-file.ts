import { mkdirSync, renameSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory } from '../embedded/postgres/create-cluster.ts'

export interface ColdFile {
  /** In the directory of the export, with slashes. */
  readonly path: string
  readonly events: number
  readonly bytes: number
}

export function eventsOf(counted: readonly { readonly events: number }[]): number {
  return counted.reduce((sum, { events }) => sum + events, 0)
}

/** Writes a file under the name `draft` and renames it, so that it exists completely or not at all. Returns its size. */
export async function replaceFile(
  path: string,
  draft: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<number> {
  const file = await open(draft, 'w')
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      await file.writeFile(chunk)
      bytes += chunk.length
    }
    await file.sync()
  } finally {
    await file.close()
  }
  mkdirSync(dirname(path), { recursive: true })
  renameSync(draft, path)
  syncDirectory(dirname(path))
  return bytes
}
