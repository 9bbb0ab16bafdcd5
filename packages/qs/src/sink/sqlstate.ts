/** What an error of PostgreSQL means for the batch it struck. */
export type Verdict =
  /** The world is to blame: the same batch again, later. Never a dead letter. */
  | 'retry'
  /** A row is to blame: find it, reject it alone. */
  | 'row'
  /** The server lets the ingester not in, or has no such database. */
  | 'refused'
  /** The schema or the rights are to blame: stop and say so, where it never worked. */
  | 'stop'

/** By SQLSTATE, then by its class (PostgreSQL manual, appendix A). What is not listed is retried: nothing is lost by it. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  '08': 'retry', // connection exception
  '22': 'row', // data exception
  '23': 'row', // integrity constraint violation
  '25006': 'retry', // read-only transaction: a failover under way
  '28': 'refused', // invalid authorization
  '3D': 'refused', // no such database
  '40': 'retry', // serialization failure, deadlock
  '42': 'stop', // no such table or column, no privilege
  '53': 'retry', // disk full, out of memory, too many connections
  '54': 'row', // program limit exceeded
  '55P03': 'retry', // lock not available
  '57': 'retry', // shutdown, crash, query cancelled
}

/** The SQLSTATE of an error of `pg`, or null for one of the network or of our own. */
export function sqlstateOf(error: unknown): string | null {
  const code = (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null
}

export function verdictOn(error: unknown): Verdict {
  const sqlstate = sqlstateOf(error) ?? ''
  return VERDICTS[sqlstate] ?? VERDICTS[sqlstate.slice(0, 2)] ?? 'retry'
}
