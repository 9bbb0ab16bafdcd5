import type { Event } from '../pipeline/message.ts'

/** What stored events change in the row of their series. */
export interface SeriesChange {
  events: number
  firstTs: string
  firstSeen: string
  lastSeen: string
  /** By event time, and among equals by event_id, as newest_events() orders. */
  newest: Event
  newestServer: string
}

/** Device, then type of event, in the order in which they came. */
export type ChangesByDevice = ReadonlyMap<string, ReadonlyMap<string, SeriesChange>>

/**
 * The changes of a batch, one for each series. The events of a message are of one device, so that the common case is one
 * look-up by type. Times are texts of one form, so their order is that of the texts.
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

/** In the order of bytes of UTF-8, which is that of the collation "C": surrogates stand for the highest characters. */
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
