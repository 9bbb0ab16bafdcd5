import type { QueryConfig } from 'pg'
import type { Event, Rejection } from '../pipeline/message.ts'
import { rejection } from '../pipeline/rejection.ts'
import { type Connection, pipelined } from './connection.ts'
import type { KnownTypes } from './known-types.ts'
import type { ChangesByDevice } from './series-changes.ts'

/** Event types by device. */
export type TypesByDevice = ReadonlyMap<string, ReadonlySet<string>>

export interface TypeAdmission {
  /** New types that may be stored. */
  readonly fresh: TypesByDevice
  readonly refused: TypesByDevice
}

const NO_TYPES: TypesByDevice = new Map()
export const ALL_ADMITTED: TypeAdmission = { fresh: NO_TYPES, refused: NO_TYPES }

/**
 * Decides which new event types of a batch are accepted, before anything is stored. Types that the device already has
 * are always accepted, whatever the limit is now; new ones in order of arrival, up to the limit of the device.
 *
 * So an event that is stored already is never refused here: its device has its type.
 */
export async function admitTypes(
  connection: Connection,
  changes: ChangesByDevice,
  knownTypes: KnownTypes,
): Promise<TypeAdmission> {
  const strangers = knownTypes.strangers(changes)
  if (strangers.size === 0) return ALL_ADMITTED
  const asked = [...strangers].map(([device, types]) => ({ device, types }))
  const [result] = await pipelined(connection, findTypes(asked, knownTypes.limit))
  const fresh = new Map<string, ReadonlySet<string>>()
  const refused = new Map<string, ReadonlySet<string>>()
  for (const { device, known, count } of readFoundTypes(result?.rows ?? [])) {
    for (const eventType of known) knownTypes.learn(device, eventType)
    const have = new Set(known)
    const others = (strangers.get(device) ?? []).filter((eventType) => !have.has(eventType))
    const room = Math.max(0, knownTypes.limit - count)
    // While there was room, the types that fill it are not committed yet, and the next batch must wait for them.
    knownTypes.noteFull(device, others.length > 0 && room === 0)
    if (room > 0 && others.length > 0) fresh.set(device, new Set(others.slice(0, room)))
    if (others.length > room) refused.set(device, new Set(others.slice(room)))
  }
  return { fresh, refused }
}

/** Called after COMMIT. A type without a stored event remains unknown. */
export function learnTypes(knownTypes: KnownTypes, fresh: TypesByDevice, stored: ChangesByDevice): void {
  for (const [deviceId, types] of fresh) {
    const changed = stored.get(deviceId)
    for (const eventType of types) if (changed?.has(eventType)) knownTypes.learn(deviceId, eventType)
  }
}

export function refuseType({ eventId, deviceId, eventType }: Event, limit: number): Rejection {
  return rejection('TOO_MANY_EVENT_TYPES', `${quoted(deviceId)} already has ${limit} event types`, {
    eventId,
    trace: `sink: event_type ${quoted(eventType)} would be one more than LIMIT_EVENT_TYPES`,
  })
}

function quoted(text: string): string {
  return JSON.stringify(text)
}

export interface AskedTypes {
  readonly device: string
  readonly types: readonly string[]
}

interface FoundTypes {
  readonly device: string
  /** The types asked for that the device has. */
  readonly known: readonly string[]
  /** Number of types of the device, counted up to the limit. */
  readonly count: number
}

/** Which event types devices already have. The count reads at most `$2` rows of the key. */
const SQL = `
select a.device,
  array(select s.event_type from series s where s.device_id = a.device and s.event_type = any(a.types)) as known,
  (select count(*)::int from (select from series s where s.device_id = a.device limit $2) counted) as count
from json_to_recordset($1::json) as a(device text, types text[])`

/** Unnamed, so that it is planned each time, like compareEvents. */
export function findTypes(asked: readonly AskedTypes[], limit: number): QueryConfig {
  return { text: SQL, values: [JSON.stringify(asked), limit] }
}

function readFoundTypes(rows: readonly Record<string, unknown>[]): readonly FoundTypes[] {
  return rows as unknown as readonly FoundTypes[]
}
