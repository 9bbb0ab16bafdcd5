import type { QueryConfig } from 'pg'

export interface AskedTypes {
  readonly device: string
  readonly types: readonly string[]
}

export interface FoundTypes {
  readonly device: string
  /** The types asked for that the device has. */
  readonly known: readonly string[]
  /** Number of types of the device, counted up to the limit. */
  readonly count: number
}

/** Which event types devices already have. The count reads at most `$2` rows of the key. */
const SQL = `
select a.device,
  array(select s.event_type from series s where s.device_id = a.device and s.event_type = any(a.types)) as known,
  (select count(*)::int from (select from series s where s.device_id = a.device limit $2) counted) as count
from json_to_recordset($1::json) as a(device text, types text[])`

/** Unnamed, so that it is planned each time, like compareEvents. */
export function findTypes(asked: readonly AskedTypes[], limit: number): QueryConfig {
  return { text: SQL, values: [JSON.stringify(asked), limit] }
}

export function readFoundTypes(rows: readonly Record<string, unknown>[]): readonly FoundTypes[] {
  return rows as unknown as readonly FoundTypes[]
}
