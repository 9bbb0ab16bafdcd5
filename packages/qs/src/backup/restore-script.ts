import { Transform } from 'node:stream'
import pg from 'pg'
import type { BackupManifest } from './backup-manifest.ts'
import { summarySql, TEXT_SETTINGS } from './table-summary.ts'

/**
 * SQL before the output of pg_restore. Everything is one transaction that only the last line of `afterRestore` commits:
 * if it is interrupted anywhere, the old rows are kept. `psql --single-transaction` would commit at the end of its
 * input, even a truncated one.
 *
 * Objects are dropped without cascade: a dependent view in another schema stops the restore instead of vanishing.
 */
export function beforeRestore(schema: string): string {
  const name = pg.escapeLiteral(pg.escapeIdentifier(schema))
  return `begin;
set local lock_timeout = '10s';
set local statement_timeout = 0;
set local client_min_messages = warning;
do $drop$
declare
  statement text;
begin
  for statement in
    with object as (
      select case relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind,
        case relkind when 'm' then 1 when 'v' then 2 else 3 end as place, oid::regclass::text as name,
        'pg_class'::regclass as catalog, oid
      from pg_class where relnamespace = ${name}::regnamespace and relkind in ('r', 'p', 'v', 'm')
      union all
      select 'routine', 4, oid::regprocedure::text, 'pg_proc'::regclass, oid
      from pg_proc where pronamespace = ${name}::regnamespace
    )
    select format('drop %s %s', kind, string_agg(name, ', ')) from object
    where not exists (select from pg_depend d where d.classid = catalog and d.objid = object.oid and d.deptype = 'e')
    group by kind, place order by place
  loop
    execute statement;
  end loop;
end $drop$;
`
}

/** SQL that compares the restored tables with the manifest, and commits only if they match. */
export function afterRestore({ schema, tables }: BackupManifest): string {
  const checks = tables.map(({ table, rows, checksum }) => {
    const name = pg.escapeLiteral(table)
    return `  for found in ${summarySql(schema, table)} loop
    if found.rows <> ${rows} or found.checksum <> '${checksum}' then
      raise exception 'table % differs from the backup: % rows with checksum %, expected ${rows} with ${checksum}',
        ${name}, found.rows, found.checksum;
    end if;
  end loop;`
  })
  return `
${TEXT_SETTINGS}
do $verify$
declare
  found record;
begin
${checks.join('\n')}
end $verify$;
commit;
`
}

/** Removes a setting unknown to older servers from the first lines of pg_restore (PostgreSQL 17 and newer). */
export function withoutNewerSettings(): Transform {
  let isFirst = true
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (!isFirst) return done(null, chunk)
      isFirst = false
      done(
        null,
        Buffer.from(chunk.toString('latin1').replace(/^SET transaction_timeout = 0;\n/m, ''), 'latin1'),
      )
    },
  })
}
