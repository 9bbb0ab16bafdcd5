import type { ClientBase } from 'pg'
import type { Event } from '../pipeline/message.ts'
import { compareEvents, readComparisons } from '../sink/compare-events.ts'

/** What would become of an event in the database. */
export type Forecast = 'stored' | 'duplicate' | 'conflict'

/** Forecasts by index, with the comparison of the sink. Changes nothing. */
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
