import { isTimeZone } from '@qs-telemetry/protocol'
import type { Log } from '../telemetry/log.ts'

/** Runs one statement with a timeout on its own connection. */
export type RunQuery = (text: string) => Promise<readonly Record<string, unknown>[]>

const REFRESH_MS = 15_000

/**
 * Time zones of single devices from `devices.time_zone`. A change takes effect within fifteen seconds; while the
 * database is away, the last known zones stay in effect.
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

  /** @throws the error of the database, for the first query only */
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
        'devices.time_zone is not a valid time zone; using DEVICE_TIMEZONE for this device',
      )
    }
    this.#zones = zones
  }
}
