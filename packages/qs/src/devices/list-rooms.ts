import type { RoomList } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { IS_ARCHIVED } from './device-filter.ts'

export interface RoomFilter {
  /** Text in the name. */
  readonly search?: string
  readonly limit: number
}

const SQL = `
select room, count(*)::int as devices from devices
where room is not null and not ${IS_ARCHIVED} and ($1::text is null or position(lower($1) in lower(room)) > 0)
group by room order by lower(room), room limit $2`

export function listRooms(
  ask: Ask,
  { search, limit }: RoomFilter,
): Promise<readonly RoomList['rooms'][number][]> {
  return ask.query<RoomList['rooms'][number]>(SQL, [search ?? null, limit])
}
