import { bytesOf, type ColdRow, partitionOf } from './cold-event.ts'

/** Of a row group, which is what is in memory: readers want large ones. */
const [GROUP_ROWS, GROUP_BYTES] = [50_000, 16_000_000]

export interface Partition {
  readonly partition: string
  /** To be read to its end before the next partition. */
  readonly rows: AsyncGenerator<ColdRow>
}

/** Splits rows that are ordered by partition. */
export async function* partitions(all: AsyncGenerator<ColdRow>): AsyncGenerator<Partition> {
  let next = await all.next()
  async function* rowsOf(partition: string): AsyncGenerator<ColdRow> {
    while (!next.done && partitionOf(next.value) === partition) {
      yield next.value
      next = await all.next()
    }
  }
  while (!next.done) {
    const partition = partitionOf(next.value)
    yield { partition, rows: rowsOf(partition) }
  }
}

export async function* groups(rows: AsyncIterable<ColdRow>): AsyncGenerator<readonly ColdRow[]> {
  let group: ColdRow[] = []
  let bytes = 0
  for await (const row of rows) {
    group.push(row)
    bytes += bytesOf(row)
    if (group.length < GROUP_ROWS && bytes < GROUP_BYTES) continue
    yield group
    group = []
    bytes = 0
  }
  if (group.length > 0) yield group
}
