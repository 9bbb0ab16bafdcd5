import pg from 'pg'
import { createHistory, type Migration, runMigration } from '../database/migrate.ts'
import { openClient } from '../database/open-client.ts'
import { QsError } from '../errors/qs-error.ts'

const SCRATCH = 'qs_scratch'

/** Objects of a schema by kind and name, `column events.meta`, without those of extensions and partitions. */
const OBJECTS = `
with relation as (
  select c.oid, c.relname, c.relkind from pg_class c
  where relnamespace = $1::regnamespace and not relispartition and not exists (
    select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
)
select case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'i' then 'index'
    when 'I' then 'index' when 'c' then 'type' else 'table' end || ' ' || relname as object
from relation where relkind in ('r', 'p', 'f', 'v', 'm', 'S', 'i', 'I', 'c')
union all
select 'column ' || relname || '.' || attname from relation join pg_attribute on attrelid = relation.oid
where relkind in ('r', 'p', 'f') and attnum > 0 and not attisdropped
union all
select 'trigger ' || relname || '.' || tgname from relation join pg_trigger on tgrelid = relation.oid where not tgisinternal
union all
select 'rule ' || relname || '.' || rulename from relation join pg_rewrite on ev_class = relation.oid where relkind in ('r', 'p')
union all
select 'policy ' || relname || '.' || polname from relation join pg_policy on polrelid = relation.oid
union all
select 'constraint ' || relname || '.' || conname from relation join pg_constraint on conrelid = relation.oid
where contype in ('c', 'f')
union all
select 'function ' || proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' from pg_proc p
where pronamespace = $1::regnamespace and not exists (
  select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
union all
select 'type ' || typname from pg_type t
where typnamespace = $1::regnamespace and typtype in ('d', 'e', 'r') and not exists (
  select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')`

export async function schemaObjects(client: pg.Client, schema: string): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ object: string }>(OBJECTS, [pg.escapeIdentifier(schema)])
  return new Set(rows.map(({ object }) => object))
}

/**
 * The objects that these migrations create. It runs them in a schema of its own and rolls that back, so that the answer is
 * right for every version without a list to maintain. 150 ms.
 */
export async function shippedObjects(
  databaseUrl: string,
  migrations: readonly Migration[],
): Promise<ReadonlySet<string>> {
  const client = await openClient(databaseUrl, { name: 'qs-backup (schema)', connectTimeoutMs: 10_000 })
  try {
    await checkRights(client)
    await client.query(`begin; set local statement_timeout = 0; set local client_min_messages = warning;
      create schema ${SCRATCH}; set local search_path = ${SCRATCH}`)
    await createHistory(client)
    for (const migration of migrations) await runMigration(client, migration)
    const objects = await schemaObjects(client, SCRATCH)
    await client.query('rollback')
    return objects
  } finally {
    await client.end()
  }
}

async function checkRights(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ may: boolean; role: string; database: string }>(
    `select has_database_privilege(current_database(), 'create') as may, current_user as role, current_database() as database`,
  )
  const [{ may, role, database } = { may: false, role: '?', database: '?' }] = rows
  if (may) return
  throw new QsError(
    'BACKUP_RIGHTS',
    `The role ${role} may not create a schema in the database ${database}, which tells the tables of qs from others`,
  )
}
