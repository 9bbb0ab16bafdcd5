import type { Ask } from '../database/query-pool.ts'
import { QsError } from '../errors/qs-error.ts'

/** One step of deleting what is older than KEEP_EVENTS. */
export interface DropStep {
  readonly events: number
  readonly segments: number
  /** Nothing that is too old is left. */
  readonly isEnd: boolean
}

/** Segments, or rows, in one transaction: about half a second on one core. */
const AT_MOST = 5_000

const SQL = `select events::float8, segments::float8, is_end as "isEnd" from drop_expired(${AT_MOST})`

/** Deletes the oldest events and segments that the policy in the database does not keep. */
export async function dropExpired(ask: Ask): Promise<DropStep> {
  const [step] = await ask.query<DropStep>(SQL)
  if (step === undefined) throw new QsError('INTERNAL_ERROR', 'drop_expired returned no row')
  return step
}
