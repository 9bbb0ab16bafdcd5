import type { DeviceStatus } from '@qs-telemetry/protocol/api'
import { askClient } from '../database/ask-client.ts'
import { momentText } from '../database/moment-text.ts'
import { type DatabaseClient, openClient } from '../database/open-client.ts'
import { type DeviceDescription, describeNewDevice } from './describe-new-device.ts'
import { STATUS } from './device-filter.ts'

/** A device in the database. */
export interface DeviceRow {
  readonly deviceId: string
  readonly label: string | null
  readonly timeZone: string | null
  readonly room: string | null
  readonly notes: string | null
  /** RFC 3339 in UTC with microseconds; null: never seen. */
  readonly firstSeen: string | null
  readonly lastSeen: string | null
  readonly status: DeviceStatus
  readonly eventsLastHour: number
  /** How far its clock is ahead by its freshest event (negative: behind, or the event waited); null: no device time. */
  readonly driftSeconds: number | null
  /** Numbers in its event ids that never came; null: they have none. */
  readonly missingEvents: number | null
  /** Event time; null likewise. */
  readonly completeSince: string | null
}

/** Counts the last hour by server time, which has an index, so the cost does not depend on the size of the table. */
const LIST = `
with lately as (
  select device_id, count(*)::int as events from events
  where ts_server > now() - interval '1 hour'
  group by device_id
)
select
  d.device_id as "deviceId", label, time_zone as "timeZone", room, notes,
  ${momentText('first_seen')} as "firstSeen", ${momentText('last_seen')} as "lastSeen",
  ${STATUS} as status, coalesce(events, 0) as "eventsLastHour",
  extract(epoch from freshest.ts_device - freshest.ts_server)::float8 as "driftSeconds",
  gaps.missing::float8 as "missingEvents", ${momentText('gaps.complete_since')} as "completeSince"
from devices d left join lately on lately.device_id = d.device_id
left join device_gaps gaps on gaps.device_id = d.device_id
left join lateral freshest_event(d.device_id) as freshest on true
order by d.device_id`

const CONNECTION = {
  name: 'qs-device',
  connectTimeoutMs: 5_000,
  queryTimeoutMs: 30_000,
  lockTimeoutMs: 10_000,
}

/** Access to the table `devices` for the command line. */
export class DeviceRows {
  readonly #client: DatabaseClient

  private constructor(client: DatabaseClient) {
    this.#client = client
  }

  /** @throws QsError as openClient */
  static async open(url: string): Promise<DeviceRows> {
    return new DeviceRows(await openClient(url, CONNECTION))
  }

  async list(): Promise<readonly DeviceRow[]> {
    return (await this.#client.query<DeviceRow>(LIST)).rows
  }

  /** Creates the row of a device that was never seen. */
  async describe(description: DeviceDescription): Promise<void> {
    await describeNewDevice(askClient(this.#client), description)
  }

  async close(): Promise<void> {
    await this.#client.end()
  }
}
