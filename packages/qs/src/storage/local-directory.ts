import type { Ask } from '../database/query-pool.ts'

const SQL = `
select coalesce(inet_server_addr() << inet '127.0.0.0/8' or inet_server_addr() = inet '::1', true) as "isLocal",
  case when pg_has_role('pg_read_all_settings', 'usage') then current_setting('data_directory') end as directory`

/** The data directory if the database is on this host (connected over loopback). A container has its own paths. */
export async function localDirectory(ask: Ask): Promise<string | null> {
  const [found] = await ask.query<{ isLocal: boolean; directory: string | null }>(SQL)
  return found?.isLocal ? found.directory : null
}
