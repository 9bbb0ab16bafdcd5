import type pg from 'pg'

/** A server session. The pid alone does not identify it: another session may have it by now. */
export interface ServerSession {
  readonly pid: number
  readonly startedAt: string
}

const WHO_AM_I = `select pid, backend_start::text as "startedAt" from pg_stat_activity where pid = pg_backend_pid()`

const END = `
  select pg_terminate_backend(s.pid)
  from unnest($1::int[], $2::timestamptz[]) as old (pid, started_at)
  join pg_stat_activity s on s.pid = old.pid and s.backend_start = old.started_at
  where s.application_name = current_setting('application_name')`

export async function sessionOf(client: pg.Client): Promise<ServerSession | null> {
  return (await client.query<ServerSession>(WHO_AM_I)).rows[0] ?? null
}

/**
 * Terminates earlier sessions of this client whose loss the server has not noticed yet: they hold locks that the client
 * itself now waits for.
 */
export async function endSessions(client: pg.Client, sessions: readonly ServerSession[]): Promise<void> {
  if (sessions.length === 0) return
  await client.query(END, [sessions.map(({ pid }) => pid), sessions.map(({ startedAt }) => startedAt)])
}
