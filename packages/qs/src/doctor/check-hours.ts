import type { ClientBase } from 'pg'
import { recountProgress } from '../hours/compare-next.ts'
import { type Finding, ok, warning } from './finding.ts'

const NAME = 'numbers by the hour'

/** Allowed lag, 75 min: the past hour, its five minutes of grace, and five until the next run. */
const SQL = `
select to_char(covered_to at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as covered, coalesce(covered_to < now() - interval '75 minutes', true) as "isBehind"
from event_hours_state`

/** Whether charts of months are complete. */
export async function* checkHours(database: ClientBase): AsyncGenerator<Finding> {
  const [state] = (await database.query<{ covered: string | null; isBehind: boolean }>(SQL)).rows
  const covered = state?.covered ?? null
  const share = await recountProgress(database)
  if (covered === null)
    yield ok(NAME, 'not counted yet: until an ingester has run for a while, charts of months read the events')
  else if (share < 1)
    yield warning(
      NAME,
      `${Math.floor(100 * share)} % of the series are recounted after an update; charts of months of the others may miss late events`,
      'An ingester does this in the background: leave one running. Its log shows the progress',
    )
  else if (state?.isBehind)
    yield warning(
      NAME,
      `up to ${covered} UTC; from then on, charts of months read the events`,
      'Is an ingester running? Its log says why it could not count',
    )
  else yield ok(NAME, `up to ${covered} UTC`)
}
