import type { Ask } from '../database/query-pool.ts'
import { QsError } from '../errors/qs-error.ts'

export interface RoomStep {
  /** KEEP_FREE, as the database has it; null: off. */
  readonly keepFreeBytes: number | null
  readonly events: number
  readonly segments: number
}

const AT_MOST = 5_000

const SQL = `
select keep_free::float8 as "keepFreeBytes", events::float8, segments::float8 from make_room($1::bigint, ${AT_MOST})`

/**
 * Deletes the oldest segments for those that were sealed while the disk was short.
 *
 * @param freeBytes on the disk of the database; null: unknown, so nothing is deleted
 */
export async function makeRoom(ask: Ask, freeBytes: number | null): Promise<RoomStep> {
  const [step] = await ask.query<RoomStep>(SQL, [freeBytes])
  if (step === undefined) throw new QsError('INTERNAL_ERROR', 'make_room returned no row')
  return step
}
