import type pg from 'pg'

/**
 * The client ids of the ingesters that currently write to this database. Each holds an advisory lock in a session named
 * after it (instance-lock.ts), and every role may see session names.
 */
export async function runningIngesters(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select distinct regexp_replace(application_name, ' \\(lock\\)$', '') as name
     from pg_stat_activity join pg_locks using (pid)
     where datname = current_database() and locktype = 'advisory' and granted and application_name like '% (lock)'
     order by name`,
  )
  return rows.map(({ name }) => name)
}
