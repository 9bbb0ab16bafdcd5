import { mkdirSync, renameSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
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

/** Returns the size of the file, which is on the disk then. */
export async function writeDraft(
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
  return bytes
}

/** Gives a draft its name in the directory of the export, in place of a file that has it. */
export function publish(directory: string, draft: string, path: string): void {
  mkdirSync(join(directory, dirname(path)), { recursive: true })
  renameSync(draft, join(directory, path))
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    syncDirectory(join(directory, folder))
    if (folder === '.') return
  }
}
