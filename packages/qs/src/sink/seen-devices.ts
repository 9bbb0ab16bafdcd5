import { DEVICE_INTERVAL_MS } from '../pipeline/device-interval.ts'
import type { DeviceSeen } from './upsert-devices.ts'

interface Entry {
  firstSeen: string
  lastSeen: string
  /** When its row was last written, on the monotonic clock; null before the first write. */
  writtenMs: number | null
  dirty: boolean
}

/** How often all devices are checked for those that are due. */
const SWEEP_MS = 1000

/**
 * When each device was seen, and which rows are due: a new device at once, a known one every ten seconds. Rows that are
 * not due go with a later batch. Silent devices are forgotten, so memory follows the devices of the last seconds, not
 * all devices ever seen.
 */
export class SeenDevices {
  readonly #entries = new Map<string, Entry>()
  #newcomers: string[] = []
  #sweptMs = Number.NEGATIVE_INFINITY

  /** All server times have the same format, so they sort as text. */
  see(deviceId: string, tsServer: string): void {
    const entry = this.#entries.get(deviceId)
    if (entry === undefined) {
      this.#entries.set(deviceId, { firstSeen: tsServer, lastSeen: tsServer, writtenMs: null, dirty: true })
      this.#newcomers.push(deviceId)
      return
    }
    if (tsServer > entry.lastSeen) entry.lastSeen = tsServer
    if (tsServer < entry.firstSeen) entry.firstSeen = tsServer
    entry.dirty = true
  }

  /** The rows that are due, which the caller must now write. */
  takeDue(nowMs: number): readonly DeviceSeen[] {
    if (nowMs - this.#sweptMs < SWEEP_MS) return this.#take(this.#newcomers, nowMs)
    this.#sweptMs = nowMs
    const due: string[] = []
    for (const [deviceId, { writtenMs, dirty }] of this.#entries) {
      if (writtenMs !== null && nowMs - writtenMs < DEVICE_INTERVAL_MS) continue
      if (dirty) due.push(deviceId)
      else this.#entries.delete(deviceId)
    }
    return this.#take(due, nowMs)
  }

  /** All rows not yet written, due or not. */
  takeAll(nowMs: number): readonly DeviceSeen[] {
    const dirty = [...this.#entries].filter(([, entry]) => entry.dirty).map(([deviceId]) => deviceId)
    return this.#take(dirty, nowMs)
  }

  /** For devices whose rows are removed: pending changes would restore the rows. */
  forget(isGone: (deviceId: string) => boolean): void {
    for (const deviceId of this.#entries.keys()) if (isGone(deviceId)) this.#entries.delete(deviceId)
    this.#newcomers = this.#newcomers.filter((deviceId) => !isGone(deviceId))
  }

  #take(deviceIds: readonly string[], nowMs: number): readonly DeviceSeen[] {
    this.#newcomers = []
    return deviceIds.map((deviceId) => {
      const entry = this.#entries.get(deviceId) as Entry
      entry.writtenMs = nowMs
      entry.dirty = false
      return { deviceId, firstSeen: entry.firstSeen, lastSeen: entry.lastSeen }
    })
  }
}
