import pg from 'pg'

/**
 * SQL that drops the views, tables and functions of a schema: those in `only`, or all of them.
 *
 * Without cascade: a dependent view stops the restore instead of vanishing.
 */
export function dropObjects(schema: string, only?: ReadonlySet<string>): string {
  const name = pg.escapeLiteral(pg.escapeIdentifier(schema))
  const list = [...(only ?? [])].map((each) => pg.escapeLiteral(each)).join(', ')
  const filter = only === undefined ? 'true' : `object = any(array[${list}]::text[])`
  return `do $drop$
declare
  statement text;
begin
  for statement in
    with object as (
      select case relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind,
        case relkind when 'm' then 1 when 'v' then 2 else 3 end as place, oid::regclass::text as name,
        case relkind when 'v' then 'view ' when 'm' then 'materialized view ' else 'table ' end || relname as object,
        'pg_class'::regclass as catalog, oid
      from pg_class where relnamespace = ${name}::regnamespace and relkind in ('r', 'p', 'v', 'm')
      union all
      select 'routine', 4, oid::regprocedure::text,
        'function ' || proname || '(' || pg_get_function_identity_arguments(oid) || ')', 'pg_proc'::regclass, oid
      from pg_proc where pronamespace = ${name}::regnamespace
    )
    select format('drop %s %s', kind, string_agg(name, ', ')) from object
    where not exists (select from pg_depend d where d.classid = catalog and d.objid = object.oid and d.deptype = 'e')
      and ${filter}
    group by kind, place order by place
  loop
    execute statement;
  end loop;
end $drop$;
`
}
