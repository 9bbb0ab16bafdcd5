import type { ClientBase } from 'pg'

/** The event with the id of a letter, as JSON for display; null if there is none. */
const SQL = 'select to_json(e)::text as json from events e where event_id = $1'

export async function storedEvent(database: ClientBase, eventId: string): Promise<string | null> {
  return (await database.query<{ json: string }>(SQL, [eventId])).rows[0]?.json ?? null
}
