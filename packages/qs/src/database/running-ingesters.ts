import type pg from 'pg'

/**
 * The client ids of the ingesters that write into this database now. Each holds an advisory lock in a session that is
 * named after it (instance-lock.ts), and everybody may see names.
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
