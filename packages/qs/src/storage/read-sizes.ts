import { momentText } from '../database/moment-text.ts'
import type { Ask } from '../database/query-pool.ts'

export interface TableSize {
  readonly name: string
  /** Without its indexes. */
  readonly bytes: number
  readonly indexBytes: number
  /** An estimate of PostgreSQL; before it has looked, of events a count and of others 0. */
  readonly rows: number
}

export interface Totals {
  readonly databaseBytes: number
  /** Of the last week, or the part of it with data. */
  readonly eventsPerDay: number | null
  /** From the first event to now, at least 1; null: there is none. */
  readonly days: number | null
  readonly mayReadWal: boolean
  readonly hasSegments: boolean
}

export interface Sealed {
  readonly events: number
  readonly horizon: string | null
  readonly walkedAt: string | null
}

/** PostgreSQL looks at a table after some 50 changes and a minute, or soon after it is filled: a count, with a bound. */
const MOST_COUNTED = 100_000

const TABLES = `
select relname as name, pg_table_size(oid)::float8 as bytes, pg_indexes_size(oid)::float8 as "indexBytes",
  case when relname = 'events' and reltuples < 0 then (select count(*) from (select from events limit ${MOST_COUNTED}) e)
    else greatest(reltuples, 0) end::float8 as rows
from pg_class
where relnamespace = (select relnamespace from pg_class where oid = 'events'::regclass) and relkind in ('r', 'p')`

const TOTALS = `
select pg_database_size(current_database())::float8 as "databaseBytes",
  (select coalesce(sum(stored), 0)::float8 / greatest(extract(epoch from now() - min(minute)) / 86400, 0.04)::float8
    from ingest_stats where minute > now() - interval '7 days') as "eventsPerDay",
  (select greatest(extract(epoch from now() - min(first_ts)) / 86400, 1)::float8 from series having count(*) > 0) as days,
  has_function_privilege('pg_ls_waldir()', 'execute') as "mayReadWal",
  to_regclass('event_segments') is not null and to_regclass('sealing') is not null as "hasSegments"`

const WAL = 'select coalesce(sum(size), 0)::float8 as bytes from pg_ls_waldir()'

const SEALED = `
select (select coalesce(sum(events), 0)::float8 from event_segments) as events,
  ${momentText('horizon')} as horizon, ${momentText('ended_at')} as "walkedAt" from sealing`

export interface Sizes {
  readonly tables: readonly TableSize[]
  readonly totals: Totals
  /** null: this role may not read the directory. */
  readonly walBytes: number | null
  /** null: this database has no segments. */
  readonly sealed: Sealed | null
}

export async function readSizes(ask: Ask): Promise<Sizes> {
  const [tables, [totals]] = [await ask.query<TableSize>(TABLES), await ask.query<Totals>(TOTALS)]
  const known = totals ?? {
    ...{ databaseBytes: 0, eventsPerDay: 0, days: 1 },
    ...{ mayReadWal: false, hasSegments: false },
  }
  const [wal] = known.mayReadWal ? await ask.query<{ bytes: number }>(WAL) : []
  const [sealed] = known.hasSegments ? await ask.query<Sealed>(SEALED) : []
  return { tables, totals: known, walBytes: wal?.bytes ?? null, sealed: sealed ?? null }
}
