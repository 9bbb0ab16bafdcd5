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
  /** On all nodes. */
  readonly databaseBytes: number
  /** Of the last week, or the time since the first event; null: there was none an hour ago. */
  readonly eventsPerDay: number | null
  /** Of the newest rows, with indexes but without free space; null: there are none. */
  readonly newRowBytes: number | null
  /** From the first event to now, at least 1; null: there is none. */
  readonly days: number | null
  readonly mayReadWal: boolean
  readonly hasSegments: boolean
  readonly hasRetention: boolean
}

export interface Sealed {
  readonly events: number
  readonly horizon: string | null
  readonly walkedAt: string | null
  /** Deleted for lack of space, up to this event time; as JSON, since a database may not have these columns yet. */
  readonly roomEvents: number
  readonly roomTo: string | null
}

/** PostgreSQL looks at a table after some 50 changes and a minute, or soon after it is filled: a count, with a bound. */
const MOST_COUNTED = 100_000

const TABLES = `
select relname as name, pg_table_size(oid)::float8 as bytes, pg_indexes_size(oid)::float8 as "indexBytes",
  case when relname = 'events' and reltuples < 0 then (select count(*) from (select 1 from events limit ${MOST_COUNTED}) e)
    else greatest(reltuples, 0) end::float8 as rows
from pg_class
where relnamespace = (select relnamespace from pg_class where oid = 'events'::regclass) and relkind in ('r', 'p')`

const IS_CITUS = `select to_regclass('pg_dist_partition') is not null as "isCitus"`

/** Of tables whose rows are on the workers of Citus: what PostgreSQL knows of them is an empty table of the coordinator. */
const DISTRIBUTED = `
select c.relname as name, citus_table_size(c.oid)::float8 as bytes,
  (citus_total_relation_size(c.oid) - citus_table_size(c.oid))::float8 as "indexBytes",
  (select coalesce(sum(greatest(result::float8, 0)), 0)
    from run_command_on_shards(c.oid, $$select reltuples from pg_class where oid = '%s'::regclass$$)) as rows
from pg_dist_partition p join pg_class c on c.oid = p.logicalrelid where p.partmethod = 'h'`

/**
 * A tuple and its pointer of four bytes in the table and in each index, whose pages are nine tenths full. From what the
 * table takes one cannot tell: after many rows were sealed at once, most of it is free.
 */
const aligned = (bytes: string) => `ceil((${bytes}) / 8.0) * 8 + 4`
const NEW_ROW = `
select avg(${aligned('pg_column_size(e)')} + (${aligned('8 + pg_column_size(e.event_id)')}
  + ${aligned('16 + pg_column_size(e.device_id) + pg_column_size(e.event_type)')} + ${aligned('16')}) / 0.9)::float8
from (select * from events order by ts_server desc limit 1000) e`

const TOTALS = `
select pg_database_size(current_database())::float8 as "databaseBytes",
  (select coalesce(sum(s.stored), 0)::float8 * 86400 / extract(epoch from now() - f.since)::float8
    from (select greatest(min(minute), now() - interval '7 days') as since from ingest_stats having count(*) > 0) f
    left join ingest_stats s on s.minute >= f.since
    where f.since < now() - interval '1 hour' group by f.since) as "eventsPerDay",
  (${NEW_ROW}) as "newRowBytes",
  (select greatest(extract(epoch from now() - min(first_ts)) / 86400, 1)::float8 from series having count(*) > 0) as days,
  has_function_privilege('pg_ls_waldir()', 'execute') as "mayReadWal",
  to_regclass('event_segments') is not null and to_regclass('sealing') is not null as "hasSegments",
  to_regclass('retention') is not null as "hasRetention"`

const WAL = 'select coalesce(sum(size), 0)::float8 as bytes from pg_ls_waldir()'

const SEALED = `
select (select coalesce(sum(events), 0)::float8 from event_segments) as events,
  ${momentText('horizon')} as horizon, ${momentText('ended_at')} as "walkedAt",
  coalesce((to_jsonb(s) ->> 'room_events')::float8, 0) as "roomEvents",
  ${momentText("(to_jsonb(s) ->> 'room_to')::timestamptz")} as "roomTo"
from sealing s`

/** In days; null: for ever. The longest time, as most of the events may be kept for it. */
const KEPT = `
select case when bool_and(k.keep is not null) then extract(epoch from max(k.keep))::float8 / 86400 end as days
from (select keep_events as keep from retention union all select keep from retention_exceptions) k`

export interface Sizes {
  readonly tables: readonly TableSize[]
  readonly totals: Totals
  /** null: this role may not read the directory. */
  readonly walBytes: number | null
  /** null: this database has no segments. */
  readonly sealed: Sealed | null
  /** Age at which events are deleted; null: never. */
  readonly keepDays: number | null
}

export async function readSizes(ask: Ask): Promise<Sizes> {
  const local = await ask.query<TableSize>(TABLES)
  const [citus] = await ask.query<{ isCitus: boolean }>(IS_CITUS)
  const remote = citus?.isCitus ? await ask.query<TableSize>(DISTRIBUTED) : []
  const tables = local.map((table) => remote.find(({ name }) => name === table.name) ?? table)
  const [totals] = await ask.query<Totals>(TOTALS)
  const known = totals ?? {
    ...{ databaseBytes: 0, eventsPerDay: null, newRowBytes: null, days: null },
    ...{ mayReadWal: false, hasSegments: false, hasRetention: false },
  }
  const remoteBytes = remote.reduce((sum, { bytes, indexBytes }) => sum + bytes + indexBytes, 0)
  const [wal] = known.mayReadWal ? await ask.query<{ bytes: number }>(WAL) : []
  const [sealed] = known.hasSegments ? await ask.query<Sealed>(SEALED) : []
  const [kept] = known.hasRetention ? await ask.query<{ days: number | null }>(KEPT) : []
  const [walBytes, keepDays] = [wal?.bytes ?? null, kept?.days ?? null]
  return {
    ...{ tables, walBytes, sealed: sealed ?? null, keepDays },
    totals: { ...known, databaseBytes: known.databaseBytes + remoteBytes },
  }
}
