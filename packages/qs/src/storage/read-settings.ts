import type { Storage } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'

const NAMES = [
  ...['shared_buffers', 'effective_cache_size', 'maintenance_work_mem'],
  ...['max_wal_size', 'min_wal_size', 'checkpoint_timeout', 'wal_compression'],
]

/** `sourcefile` is null for a role that may not see it. */
const SQL = `
select name, current_setting(name) as value,
  case when source = 'default' then 'default' when sourcefile like '%/qs.conf' then 'tuned'
    when source = 'configuration file' and sourcefile is null then 'configured' else 'set' end as "from"
from pg_settings where name = any($1) order by array_position($1, name)`

/** The settings of PostgreSQL that memory and disk depend on. */
export async function readSettings(ask: Ask): Promise<Storage['settings']> {
  return [...(await ask.query<Storage['settings'][number]>(SQL, [NAMES]))]
}
