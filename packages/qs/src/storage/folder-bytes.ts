import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Size of the files in a folder; null if there is none, or it may not be read. */
export async function folderBytes(folder: string): Promise<number | null> {
  try {
    const names = await readdir(folder, { recursive: true, encoding: 'utf8' })
    let bytes = 0
    for (const name of names) {
      // A file may have been removed in the meantime.
      const found = await stat(join(folder, name)).catch(() => null)
      if (found?.isFile()) bytes += found.size
    }
    return bytes
  } catch {
    return null
  }
}
