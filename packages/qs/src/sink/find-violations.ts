import type { QueryConfig } from 'pg'
import { RELEASE, ROLLBACK_PART, SAVEPOINT } from './bisect.ts'
import { type Connection, pipelined } from './connection.ts'
import { EVENT_INPUT, type EventRow, eventRowsJson } from './insert-events.ts'

/*
 * The operator's own constraints of `events`, evaluated for all rows of a batch in one statement. Bisection takes 250
 * statements for 20 bad rows among 2,000, half of which are undone: 0.3 s each on Citus, where `rollback to savepoint`
 * goes to 32 connections.
 *
 * Nothing may be refused that an INSERT would store. So a constraint counts only if it is about columns that the sink
 * writes, with the type and collation of the migrations, and none counts if a trigger may change rows before. Whatever is
 * not found here is found by bisection.
 */

/** The columns of `events` in their order: name, input, type, collation, and NOT NULL if it is in the migrations. */
const COLUMNS = [
  ['event_id', 'id', 'text', 'C', 'not null'],
  ['device_id', 'device', 'text', 'C', 'not null'],
  ['event_type', 'type', 'text', 'C', 'not null'],
  ['value_num', 'num', 'double precision', ''],
  ['value_text', 'txt', 'text', 'default'],
  ['unit', 'unit', 'text', 'default'],
  ['ts', 'ts', 'timestamp with time zone', '', 'not null'],
  ['ts_device', 'dev', 'timestamp with time zone', ''],
  ['ts_device_local', 'local', 'timestamp without time zone', ''],
  ['ts_device_raw', 'raw', 'text', 'default'],
  ['ts_server', 'srv', 'timestamp with time zone', '', 'not null'],
  ['schema', 'schema', 'smallint', '', 'not null'],
  ['meta', 'meta', 'jsonb', ''],
  ['value_exact', 'exact', 'text', 'default'],
] as const

const KNOWN = COLUMNS.map(
  ([name, , type, collation, rule = '']) => `('${name}', '${type}', '${collation}', '${rule}')`,
)

/** In the order in which PostgreSQL checks them: NOT NULL by column, then CHECK by name. */
const OWN_CONSTRAINTS = `
with known as (
  select a.attnum, a.attname, a.attnotnull and k.rule = '' as is_required
  from (values ${KNOWN.join(', ')}) k(name, kind, coll, rule)
  join pg_attribute a on a.attname = k.name and format_type(a.atttypid, a.atttypmod) = k.kind
  left join pg_collation l on l.oid = a.attcollation
  where a.attrelid = 'events'::regclass and coalesce(l.collname, '') = k.coll
), own as (
  select format('%I is not null', attname) as condition, '23502' as code, attnum, '' as name,
    format('null value in column "%s" of relation "events" violates not-null constraint', attname) as message
  from known where is_required
  union all
  select pg_get_expr(c.conbin, c.conrelid), '23514', null, c.conname,
    format('new row for relation "events" violates check constraint "%s"', c.conname)
  from pg_constraint c
  where c.conrelid = 'events'::regclass and c.contype = 'c' and c.conkey <@ array(select attnum from known)
    and to_jsonb(c) ->> 'conenforced' is distinct from 'false'
    -- A function that is not immutable may see the rows stored before, or do something.
    and not exists (
      select from pg_depend d left join pg_proc p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid
      where d.classid = 'pg_constraint'::regclass and d.objid = c.oid and d.deptype = 'n'
        and p.provolatile is distinct from 'i' and (d.refclassid, d.refobjid) is distinct from ('pg_class'::regclass, c.conrelid))
    and not exists (
      select from pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace and p.provolatile = 'v'
        and strpos(pg_get_expr(c.conbin, c.conrelid), p.proname || '(') > 0)
)
select condition, code, message from own
where not exists (
  select from pg_trigger
  where (tgrelid = 'events'::regclass or tgrelid in (select relid from pg_partition_tree('events')))
    and tgtype & 7 = 7 and tgenabled <> 'D')
-- With other settings, a constant may be shown as one that is read as another value.
and current_setting('extra_float_digits')::int > 0 and current_setting('datestyle') like 'ISO%' and current_setting('intervalstyle') = 'postgres'
order by attnum, name collate "C"`

export const FIND_CONSTRAINTS: QueryConfig = { name: 'find-constraints', text: OWN_CONSTRAINTS }

export interface Constraint {
  /** An expression over the columns of `events`; a row violates it if it is false, not if it is null. */
  readonly condition: string
  readonly code: string
  readonly message: string
}

/** As PostgreSQL shows a value of a failing row. */
function shown(column: string): string {
  const text = `${column}::text`
  return `coalesce(case when octet_length(${text}) > 64 then left(${text}, 64) || '...' else ${text} end, 'null')`
}

const ROW = COLUMNS.map(
  ([name, input, , collation]) => `${input}${collation === 'C' ? ' collate "C"' : ''} as ${name}`,
)
const DETAIL = `format('Failing row contains (%s).', concat_ws(', ', ${COLUMNS.map(([name]) => shown(name)).join(', ')}))`

/** Unnamed: the conditions are part of its text. */
export function findViolations(rows: readonly EventRow[], constraints: readonly Constraint[]): QueryConfig {
  const cases = constraints.map(({ condition }, n) => `when (${condition}) is false then ${n}`)
  const text = `
select row_index - 1 as index, broken, ${DETAIL} as detail
from (
  select events.*, case ${cases.join(' ')} end as broken
  from (select row_number() over () as row_index, ${ROW.join(', ')} from ${EVENT_INPUT}) events) judged
where broken is not null`
  return { text, values: [eventRowsJson(rows)] }
}

/**
 * The rows that violate a constraint of the operator's own, each with the error that an INSERT of it would raise; within
 * the open transaction. Empty if the constraints cannot be evaluated, as for a condition that fails itself.
 */
export async function violationsIn<Row extends EventRow>(
  connection: Connection,
  rows: readonly Row[],
): Promise<ReadonlyMap<Row, unknown>> {
  const violations = new Map<Row, unknown>()
  try {
    const [, answer] = await pipelined(connection, SAVEPOINT, FIND_CONSTRAINTS, RELEASE)
    const constraints = (answer?.rows ?? []) as readonly Constraint[]
    if (constraints.length === 0) return violations
    const [, found] = await pipelined(connection, SAVEPOINT, findViolations(rows, constraints), RELEASE)
    for (const { index, broken, detail } of found?.rows ?? []) {
      const { code, message } = constraints[broken] as Constraint
      violations.set(rows[Number(index)] as Row, { code, message, detail })
    }
  } catch {
    // Fails again if the connection is lost.
    await pipelined(connection, ROLLBACK_PART, RELEASE)
  }
  return violations
}
