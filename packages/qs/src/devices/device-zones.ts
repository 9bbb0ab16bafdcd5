import { isTimeZone } from '@qs-telemetry/protocol'
import type { Log } from '../telemetry/log.ts'

/** One statement, bounded in time, on a connection of its own. */
export type RunQuery = (text: string) => Promise<readonly Record<string, unknown>[]>

const REFRESH_MS = 15_000

/**
 * The time zones that people gave single devices in `devices.time_zone`. A change is in force for what arrives
 * fifteen seconds later; while the database is away the last known zones are.
 */
export class DeviceZones {
  readonly #query: RunQuery
  readonly #log: Log
  #zones: ReadonlyMap<string, string> = new Map()
  readonly #complained = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined

  constructor(query: RunQuery, log: Log) {
    this.#query = query
    this.#log = log
  }

  get(deviceId: string): string | undefined {
    return this.#zones.get(deviceId)
  }

  /** @throws what the database said, at the first look only */
  async start(): Promise<void> {
    await this.#refresh()
    this.#timer = setInterval(() => this.#refresh().catch(() => {}), REFRESH_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #refresh(): Promise<void> {
    const rows = await this.#query('select device_id, time_zone from devices where time_zone is not null')
    const zones = new Map(rows.map((row) => [String(row.device_id), String(row.time_zone)]))
    for (const [deviceId, zone] of zones) {
      if (isTimeZone(zone)) continue
      zones.delete(deviceId)
      if (this.#complained.get(deviceId) === zone) continue
      this.#complained.set(deviceId, zone)
      this.#log.warn(
        { deviceId, zone },
        'devices.time_zone is no time zone; DEVICE_TIMEZONE is used for this device',
      )
    }
    this.#zones = zones
  }
}
