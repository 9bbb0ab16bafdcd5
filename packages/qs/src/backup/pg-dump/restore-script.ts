import { Transform } from 'node:stream'
import pg from 'pg'
import { dropObjects } from '../drop-objects.ts'
import { qualified, summarySql, TEXT_SETTINGS } from '../table-summary.ts'
import type { BackupManifest } from './backup-manifest.ts'

/**
 * SQL before the output of pg_restore. Everything is one transaction that only the last line of `afterRestore` commits:
 * if it is interrupted anywhere, the old rows are kept. `psql --single-transaction` would commit at the end of its
 * input, even a truncated one.
 */
export function beforeRestore(schema: string): string {
  return `begin;
set local lock_timeout = '10s';
set local statement_timeout = 0;
set local client_min_messages = warning;
${dropObjects(schema)}`
}

/** SQL that compares the restored tables with the manifest, and commits only if they match. */
export function afterRestore({ schema, tables }: BackupManifest): string {
  const checks = tables.map(({ table, rows, checksum }) => {
    const name = pg.escapeLiteral(table)
    return `  for found in ${summarySql(qualified(schema, table))} loop
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
