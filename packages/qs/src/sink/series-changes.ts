import type { Event } from '../pipeline/message.ts'

/** The change of a series row by stored events. */
export interface SeriesChange {
  events: number
  firstTs: string
  firstSeen: string
  lastSeen: string
  /** By event time, then by event_id, as in newest_events(). */
  newest: Event
  newestServer: string
}

/** By device, then by event type, in order of arrival. */
export type ChangesByDevice = ReadonlyMap<string, ReadonlyMap<string, SeriesChange>>

/**
 * The changes of a batch, one for each series. The events of a message belong to one device, so the common case is one
 * look-up by type. All times have the same format, so they sort as text.
 */
export class SeriesChanges {
  readonly #byDevice = new Map<string, Map<string, SeriesChange>>()
  #lastDevice: string | null = null
  #lastTypes = new Map<string, SeriesChange>()

  get byDevice(): ChangesByDevice {
    return this.#byDevice
  }

  add(event: Event, tsServer: string): void {
    const types = this.#typesOf(event.deviceId)
    const change = types.get(event.eventType)
    if (change === undefined) {
      types.set(event.eventType, {
        events: 1,
        firstTs: event.ts,
        firstSeen: tsServer,
        lastSeen: tsServer,
        newest: event,
        newestServer: tsServer,
      })
      return
    }
    change.events++
    if (event.ts < change.firstTs) change.firstTs = event.ts
    if (tsServer < change.firstSeen) change.firstSeen = tsServer
    if (tsServer > change.lastSeen) change.lastSeen = tsServer
    if (isNewer(event, change.newest)) {
      change.newest = event
      change.newestServer = tsServer
    }
  }

  #typesOf(deviceId: string): Map<string, SeriesChange> {
    if (deviceId === this.#lastDevice) return this.#lastTypes
    let types = this.#byDevice.get(deviceId)
    if (types === undefined) {
      types = new Map()
      this.#byDevice.set(deviceId, types)
    }
    this.#lastDevice = deviceId
    this.#lastTypes = types
    return types
  }
}

function isNewer(one: Event, other: Event): boolean {
  return one.ts === other.ts ? isAfter(one.eventId, other.eventId) : one.ts > other.ts
}

const [FIRST_SURROGATE, LAST_SURROGATE] = [0xd800, 0xdfff]

/** In the byte order of UTF-8, which is that of the collation "C": surrogates stand for the highest characters. */
function isAfter(one: string, other: string): boolean {
  for (let at = 0; at < one.length; at++) {
    const [a, b] = [one.charCodeAt(at), other.charCodeAt(at)]
    if (a === b) continue
    return isSurrogate(a) === isSurrogate(b) ? !(a < b) : isSurrogate(a) || Number.isNaN(b)
  }
  return false
}

function isSurrogate(unit: number): boolean {
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE
}
