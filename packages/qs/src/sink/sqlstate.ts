/** What an error of PostgreSQL means for its batch. */
export type Verdict =
  /** Caused by the environment: retry the same batch later. Never a dead letter. */
  | 'retry'
  /** Caused by a row: find it and reject it alone. */
  | 'row'
  /** The server refuses the login, or the database does not exist. */
  | 'refused'
  /** Caused by the schema or the rights: stop with an error if it never worked before. */
  | 'stop'

/** By SQLSTATE, then by class (PostgreSQL manual, appendix A). Others are retried, so that nothing is lost. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  '08': 'retry', // connection exception
  '22': 'row', // data exception
  '23': 'row', // integrity constraint violation
  '25006': 'retry', // read-only transaction: a failover in progress
  '28': 'refused', // invalid authorization
  '3D': 'refused', // no such database
  '40': 'retry', // serialization failure, deadlock
  '42': 'stop', // no such table or column, no privilege
  '53': 'retry', // disk full, out of memory, too many connections
  '54': 'row', // program limit exceeded
  '55P03': 'retry', // lock not available
  '57': 'retry', // shutdown, crash, query cancelled
  P0: 'row', // raised by a trigger or a function of the operator's own
}

/** The SQLSTATE of an error from `pg`; null for network and internal errors. */
export function sqlstateOf(error: unknown): string | null {
  const code = (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null
}

/** Whether a trigger or a function raised it. A program may fail for a while, and for rows that are good. */
export function isRaised(error: unknown): boolean {
  return sqlstateOf(error)?.startsWith('P0') === true
}

export function verdictOn(error: unknown): Verdict {
  const sqlstate = sqlstateOf(error) ?? ''
  return VERDICTS[sqlstate] ?? VERDICTS[sqlstate.slice(0, 2)] ?? 'retry'
}

/** COPY is not possible, as under row-level security; internal error, which is what Citus makes of a row that a shard refuses. */
const NOT_BY_COPY: ReadonlySet<string | null> = new Set(['0A000', 'XX000'])

/** Whether a batch that COPY failed on is worth an INSERT: a row caused the error, or COPY itself. */
export function mayBeInserted(error: unknown): boolean {
  return verdictOn(error) === 'row' || NOT_BY_COPY.has(sqlstateOf(error))
}
