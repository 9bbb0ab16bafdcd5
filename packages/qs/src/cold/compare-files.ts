import { join } from 'node:path'
import type { ColdRow } from './cold-event.ts'
import type { ColdFile } from './cold-file.ts'
import { FileWalk, isInAny } from './file-walk.ts'
import { partitions } from './partitions.ts'

/** What to do with the events of one month that arrived on one day. */
export interface Change {
  /** The file to write anew: the database has all its events. */
  readonly replaced: ColdFile | undefined
  /** The other files, which stay as they are. */
  readonly kept: readonly ColdFile[]
  /** Whether the database has events that are in none of the files. */
  readonly hasNew: boolean
}

/** Compares the files of a day with the rows of the database, one by one. @returns by partition, those that have rows */
export async function compareFiles(
  directory: string,
  files: readonly ColdFile[],
  rows: AsyncGenerator<ColdRow>,
): Promise<ReadonlyMap<string, Change>> {
  const changes = new Map<string, Change>()
  for await (const part of partitions(rows)) {
    const own = files.filter(({ path }) => path.startsWith(`${part.partition}/`))
    await withWalks(directory, own, async (walks) => {
      let hasNew = false
      for await (const row of part.rows) if (!(await isInAny(walks, row))) hasNew = true
      let replaced: ColdFile | undefined
      for (const [index, walk] of walks.entries()) if (await walk.isCovered()) replaced ??= own[index]
      changes.set(part.partition, { replaced, kept: own.filter((file) => file !== replaced), hasNew })
    })
  }
  return changes
}

export async function withWalks<T>(
  directory: string,
  files: readonly ColdFile[],
  use: (walks: readonly FileWalk[]) => Promise<T>,
): Promise<T> {
  const walks = files.map(({ path }) => new FileWalk(join(directory, path)))
  try {
    return await use(walks)
  } finally {
    for (const walk of walks) await walk.close()
  }
}
