import type { ClientBase } from 'pg'
import { OVERLAP_ADVICE, overlappingIds } from '../accounts/overlapping-ids.ts'
import type { Config } from '../config/settings.ts'
import { type Finding, ok, warning } from './finding.ts'

const NAME = 'event ids'
/** Pairs named in the finding. */
const MAX_NAMED = 3

/** Whether EVENT_ID_RULE separates the event ids of all known devices. */
export async function* checkEventIds(database: ClientBase, config: Config): AsyncGenerator<Finding> {
  if (config.EVENT_ID_RULE !== 'device') return
  const { rows } = await database.query<{ device_id: string }>(
    'select device_id from devices order by device_id',
  )
  const pairs = overlappingIds(rows.map((row) => row.device_id))
  if (pairs.length === 0) return yield ok(NAME, 'EVENT_ID_RULE=device: no two devices share event ids')
  const named = pairs.slice(0, MAX_NAMED).map(({ shorter, longer }) => `${shorter} and ${longer}`)
  const more = pairs.length > MAX_NAMED ? ` and ${pairs.length - MAX_NAMED} more` : ''
  yield warning(NAME, `these devices share event ids: ${named.join(', ')}${more}`, OVERLAP_ADVICE)
}
