import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import { arrivalIn } from '../pipeline/arrival-in.ts'
import type { StoredLetter } from './find-letter.ts'
import { judgeLetter } from './judge-letter.ts'

const STORED = 'select to_json(e)::text as json from events e where event_id = $1'

/** Segments have no index by id, so what else is known about the event must lead to a few of its device. */
const SEALED = `
select to_json(h)::text as json from (
  select event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local, ts_device_raw,
    ts_server, schema, meta, value_exact
  from sealed_events
  where event_id = $1 and device_id = $2 and `
const [BY_ARRIVAL, BY_TIME] = [
  `${SEALED} last_seen >= $3 and first_seen <= $3 and ts_server = $3) h`,
  `${SEALED} event_type = $3 and last_ts >= $4::timestamptz - interval '27 hours'
    and first_ts <= $4::timestamptz + interval '27 hours') h`,
]

type LetterOfEvent = Pick<
  StoredLetter,
  'eventId' | 'deviceId' | 'code' | 'error' | 'topic' | 'receivedAt' | 'payload'
>

/**
 * The event with the id of a letter, as JSON for display; null if there is none. A sealed event is found by the arrival
 * that a conflict names, otherwise by the device, the type and the time in the letter, if these can be read in it.
 */
export async function storedEvent(
  database: ClientBase,
  letter: LetterOfEvent,
  config: Config,
): Promise<string | null> {
  const { eventId, deviceId, code, error } = letter
  if (eventId === null) return null
  const find = async (sql: string, ...values: readonly unknown[]) =>
    (await database.query<{ json: string }>(sql, [eventId, ...values])).rows[0]?.json ?? null

  const stored = await find(STORED)
  if (stored !== null) return stored
  const arrivedAt = code === 'EVENT_ID_CONFLICT' ? arrivalIn(error) : null
  if (arrivedAt !== null) return find(BY_ARRIVAL, deviceId, arrivedAt)
  for (const event of identities(letter, config)) {
    const sealed = await find(BY_TIME, event.deviceId, event.eventType, event.tsDevice ?? event.ts)
    if (sealed !== null) return sealed
  }
  return null
}

/** The events of a letter with this id as decode reads them, without the fields that may be wrong in them. */
function identities({ eventId, topic, receivedAt, payload }: LetterOfEvent, config: Config) {
  const wanted = elementsOf(payload)
    .filter((element) => element.event_id === eventId)
    .map(({ event_id, device_id, event_type, ts_device }) => ({
      ...{ schema: 1, event_id, device_id, event_type, ts_device },
    }))
  const letter = { topic, receivedAt, payload: Buffer.from(JSON.stringify(wanted)), repairedDeviceId: null }
  return judgeLetter(letter, config).events
}

function elementsOf(payload: Buffer): readonly Readonly<Record<string, unknown>>[] {
  try {
    const parsed: unknown = JSON.parse(payload.toString())
    const elements: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed]
    return elements.filter(
      (element): element is Readonly<Record<string, unknown>> =>
        typeof element === 'object' && element !== null,
    )
  } catch {
    return []
  }
}
