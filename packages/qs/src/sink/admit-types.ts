import type { Event, Rejection } from '../pipeline/message.ts'
import { rejection } from '../pipeline/rejection.ts'
import { type Connection, pipelined } from './connection.ts'
import { findTypes, readFoundTypes } from './find-types.ts'
import type { KnownTypes } from './known-types.ts'
import type { ChangesByDevice } from './series-changes.ts'

/** Types of event, by device. */
export type TypesByDevice = ReadonlyMap<string, ReadonlySet<string>>

export interface TypeAdmission {
  /** New ones that may be stored. */
  readonly fresh: TypesByDevice
  readonly refused: TypesByDevice
}

const NO_TYPES: TypesByDevice = new Map()
export const ALL_ADMITTED: TypeAdmission = { fresh: NO_TYPES, refused: NO_TYPES }

/**
 * Decides about the types of event that a batch would bring to its devices, before anything is stored. A type that the
 * device has goes on being stored, whatever the limit is now; new ones are taken in the order in which they came, until
 * the device has as many as it may.
 *
 * So an event that is stored already is never refused here: its type is one of its device's.
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
    knownTypes.noteFull(device, others.length > room)
    if (room > 0 && others.length > 0) fresh.set(device, new Set(others.slice(0, room)))
    if (others.length > room) refused.set(device, new Set(others.slice(room)))
  }
  return { fresh, refused }
}

/** After COMMIT. A type of which nothing was stored stays a stranger. */
export function learnTypes(knownTypes: KnownTypes, fresh: TypesByDevice, stored: ChangesByDevice): void {
  for (const [deviceId, types] of fresh) {
    const changed = stored.get(deviceId)
    for (const eventType of types) if (changed?.has(eventType)) knownTypes.learn(deviceId, eventType)
  }
}

export function refuseType({ eventId, deviceId, eventType }: Event, limit: number): Rejection {
  return rejection('TOO_MANY_EVENT_TYPES', `${quoted(deviceId)} has ${limit} event types already`, {
    eventId,
    trace: `sink: event_type ${quoted(eventType)} would be one more than LIMIT_EVENT_TYPES`,
  })
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
