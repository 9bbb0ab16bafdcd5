import type { ChangesByDevice } from './series-changes.ts'

/** Characters of keys in one generation, two of which are kept: with their objects about 25 MB at most. */
const MAX_CHARACTERS = 4 * 1024 * 1024
/** What an entry of a Set takes beside the characters of its key, about. */
const ENTRY_CHARACTERS = 40
const MAX_FULL_DEVICES = 1_000

/**
 * Types of event that devices are known to have, so that the database is asked only about others: 100,000 series of
 * 20,000 devices fit. What it does not know it asks for again, so it may forget at any time.
 *
 * Memory is bounded whatever comes: entries are made of stored events alone, and when one generation of them is full, the
 * one before it is dropped.
 */
export class KnownTypes {
  /** Types that one device may have. */
  readonly limit: number
  #young = new Set<string>()
  #old: ReadonlySet<string> = new Set()
  #characters = 0
  /** Devices at their limit, when a new type was last refused. */
  readonly #full = new Set<string>()

  constructor(limit: number) {
    this.limit = limit
  }

  /** For the tests of its bound. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Of these, what it does not know. */
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

  /** Whether a new type of this device was refused, and nothing has made room since. */
  isFull(deviceId: string): boolean {
    return this.#full.has(deviceId)
  }

  noteFull(deviceId: string, isFull: boolean): void {
    if (!isFull) this.#full.delete(deviceId)
    else if (this.#full.size < MAX_FULL_DEVICES) this.#full.add(deviceId)
  }

  /** Of devices whose rows somebody removed. */
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

/** A device id has no control character, so that the first one ends it. */
function keyOf(deviceId: string, eventType: string): string {
  return `${deviceId}\n${eventType}`
}
