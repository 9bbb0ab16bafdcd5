import type pg from 'pg'
import { queryOnce } from './pool.ts'

type Query = (text: string, values?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>

/** A worker of Citus that has rows of `events`, and its answer. */
export interface Worker {
  /** Its `nodeid` in `pg_dist_node`. */
  readonly id: number
  /** Its host and port. */
  readonly place: string
  readonly ok: boolean
  /** The first column of the first row, or what went wrong. */
  readonly text: string
}

export interface WorkerQuestion {
  /** A statement that returns one row and one column. */
  readonly command: string
  /** For all workers together: Citus waits for one that is silent after the other. */
  readonly timeoutMs: number
}

/** A real statement in any case; plain PostgreSQL needs no other. */
const IS_CITUS = `select to_regproc('run_command_on_workers') is not null as "isCitus"`

/** Any role may ask. Citus opens new connections for it, so that a silent one of an earlier statement is no answer. */
const ASK = `
select n.nodeid::int as id, w.nodename || ':' || w.nodeport as place, w.success as ok, coalesce(w.result, '') as text
from set_config('citus.node_connection_timeout', (
    select greatest(10, $2::int / greatest(count(*), 1))::text from pg_dist_node where groupid > 0), true) as timeout,
  lateral run_command_on_workers(case when timeout is not null then $1 end) w
  join pg_dist_node n on n.nodename = w.nodename and n.nodeport = w.nodeport
where exists (
  select from pg_dist_placement p join pg_dist_shard s on s.shardid = p.shardid
  where p.groupid = n.groupid and s.logicalrelid = to_regclass('events'))
order by n.nodeid`

/** No workers in plain PostgreSQL, nor before `events` is distributed. */
export async function askWorkers(query: Query, question: WorkerQuestion): Promise<readonly Worker[]> {
  const [server] = await query(IS_CITUS)
  if (!server?.isCitus) return []
  const values = [question.command, question.timeoutMs]
  return (await query(ASK, values)) as unknown as readonly Worker[]
}

/** SQLSTATE (PostgreSQL manual, appendix A). */
const INSUFFICIENT_PRIVILEGE = '42501'
/** Within the two seconds of a query for readiness. */
const TIMEOUT_MS = 1_500

/** No batch commits without these: almost every one has rows for each worker. None, if this role may not ask. */
export async function silentWorkers(pool: pg.Pool): Promise<readonly Worker[]> {
  const question = { command: 'select 1', timeoutMs: TIMEOUT_MS }
  try {
    const workers = await askWorkers((text, values) => queryOnce(pool, text, values), question)
    return workers.filter(({ ok }) => !ok)
  } catch (error) {
    // The coordinator has answered.
    if ((error as { readonly code?: unknown }).code === INSUFFICIENT_PRIVILEGE) return []
    throw error
  }
}
