import { momentText } from '../database/moment-text.ts'
import { type DatabaseClient, openClient } from '../database/open-client.ts'

/** A device in the database. */
export interface DeviceRow {
  readonly deviceId: string
  readonly label: string | null
  readonly timeZone: string | null
  readonly room: string | null
  /** RFC 3339 in UTC with microseconds; null: never seen. */
  readonly firstSeen: string | null
  readonly lastSeen: string | null
  readonly status: 'online' | 'silent' | 'quiet' | 'never'
  readonly eventsLastHour: number
  /** How far its clock is ahead by its freshest event (negative: behind, or the event waited); null: no device time. */
  readonly driftSeconds: number | null
  /** Numbers in its event ids that never came; null: they have none. */
  readonly missingEvents: number | null
  /** Event time; null likewise. */
  readonly completeSince: string | null
}

export interface DeviceDescription {
  readonly deviceId: string
  /** Null, here and below: unchanged. */
  readonly label: string | null
  readonly timeZone: string | null
  readonly room: string | null
}

/** Counts the last hour by server time, which has an index, so the cost does not depend on the size of the table. */
const LIST = `
with lately as (
  select device_id, count(*)::int as events from events
  where ts_server > now() - interval '1 hour'
  group by device_id
)
select
  d.device_id as "deviceId", label, time_zone as "timeZone", room,
  ${momentText('first_seen')} as "firstSeen", ${momentText('last_seen')} as "lastSeen",
  device_status(last_seen, coalesce(silent_after_set, silent_after)) as status, coalesce(events, 0) as "eventsLastHour",
  extract(epoch from freshest.ts_device - freshest.ts_server)::float8 as "driftSeconds",
  gaps.missing::float8 as "missingEvents", ${momentText('gaps.complete_since')} as "completeSince"
from devices d left join lately on lately.device_id = d.device_id
left join device_gaps gaps on gaps.device_id = d.device_id
left join lateral freshest_event(d.device_id) as freshest on true
order by d.device_id`

const DESCRIBE = `
insert into devices (device_id, label, time_zone, room) values ($1, $2, $3, $4)
on conflict (device_id) do update set
  label = coalesce(excluded.label, devices.label),
  time_zone = coalesce(excluded.time_zone, devices.time_zone),
  room = coalesce(excluded.room, devices.room)`

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
  async describe({ deviceId, label, timeZone, room }: DeviceDescription): Promise<void> {
    await this.#client.query(DESCRIBE, [deviceId, label, timeZone, room])
  }

  async close(): Promise<void> {
    await this.#client.end()
  }
}
