import type { ClientBase } from 'pg'
import type { Event } from '../pipeline/message.ts'
import { compareEvents, readComparisons } from '../sink/compare-events.ts'

/** What the database would say of an event. */
export type Forecast = 'stored' | 'duplicate' | 'conflict'

/** Asks, with the comparison of the sink, and changes nothing. Answers by index. */
export async function forecastEvents(
  database: ClientBase,
  events: readonly Event[],
): Promise<readonly Forecast[]> {
  const rows = events.map((event) => ({ event, tsServer: event.ts }))
  const { rows: answers } = await database.query<Record<string, unknown>>(compareEvents(rows))
  const forecasts: Forecast[] = events.map(() => 'stored')
  for (const { index, same } of readComparisons(answers)) forecasts[index] = same ? 'duplicate' : 'conflict'
  return forecasts
}
