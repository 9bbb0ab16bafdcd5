import type { ChangesByDevice } from './series-changes.ts'

/** Key characters in one generation, two of which are kept: about 25 MB at most, objects included. */
const MAX_CHARACTERS = 4 * 1024 * 1024
/** Approximate size of a Set entry besides the characters of its key. */
const ENTRY_CHARACTERS = 40
const MAX_FULL_DEVICES = 1_000

/**
 * A cache of the event types of devices, so that the database is asked only about others: 100,000 series of 20,000
 * devices fit. Unknown types are asked for again, so entries may be dropped at any time.
 *
 * Memory is bounded whatever arrives: only stored events add entries, and when one generation is full, the previous one
 * is dropped.
 */
export class KnownTypes {
  /** Maximum number of types per device. */
  readonly limit: number
  #young = new Set<string>()
  #old: ReadonlySet<string> = new Set()
  #characters = 0
  /** Devices for which a new type was refused at the limit. */
  readonly #full = new Set<string>()

  constructor(limit: number) {
    this.limit = limit
  }

  /** For tests of the bound. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** The types among `changes` that are not in the cache. */
  strangers(changes: ChangesByDevice): ReadonlyMap<string, readonly string[]> {
    const strangers = new Map<string, string[]>()
    for (const [deviceId, types] of changes) {
      for (const eventType of types.keys()) {
        if (this.#knows(keyOf(deviceId, eventType))) continue
        const others = strangers.get(deviceId)
        if (others === undefined) strangers.set(deviceId, [eventType])
        else others.push(eventType)
      }
    }
    return strangers
  }

  learn(deviceId: string, eventType: string): void {
    this.#add(keyOf(deviceId, eventType))
  }

  /** Whether a new type of this device was refused and there has been no room since. */
  isFull(deviceId: string): boolean {
    return this.#full.has(deviceId)
  }

  noteFull(deviceId: string, isFull: boolean): void {
    if (!isFull) this.#full.delete(deviceId)
    else if (this.#full.size < MAX_FULL_DEVICES) this.#full.add(deviceId)
  }

  /** After the rows of devices were removed. */
  forgetAll(): void {
    this.#young = new Set()
    this.#old = new Set()
    this.#characters = 0
    this.#full.clear()
  }

  #knows(key: string): boolean {
    if (this.#young.has(key)) return true
    if (!this.#old.has(key)) return false
    this.#add(key)
    return true
  }

  #add(key: string): void {
    if (this.#young.has(key)) return
    if (this.#characters > MAX_CHARACTERS) {
      this.#old = this.#young
      this.#young = new Set()
      this.#characters = 0
    }
    this.#young.add(key)
    this.#characters += key.length + ENTRY_CHARACTERS
  }
}

/** A device id has no control character, so the first one marks its end. */
function keyOf(deviceId: string, eventType: string): string {
  return `${deviceId}\n${eventType}`
}
