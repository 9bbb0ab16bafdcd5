import type { QueryConfig, QueryResult } from 'pg'
import { type Connection, pipelined } from './connection.ts'
import { verdictOn } from './sqlstate.ts'

export interface Bisected<Row> {
  readonly query: (rows: readonly Row[]) => QueryConfig
  /** Called with each part that PostgreSQL accepts. */
  readonly take: (rows: readonly Row[], result: QueryResult | undefined) => void
  /** Called with each row that it refuses on its own. */
  readonly refuse: (row: Row, error: unknown) => void
}

/**
 * Runs a statement over rows of which some make it fail, by bisection, within the open transaction. Each attempt has a
 * savepoint. One bad row among n costs about 1.5 log n statements.
 *
 * @throws errors that no row causes
 */
export async function bisect<Row>(
  connection: Connection,
  rows: readonly Row[],
  { query, take, refuse }: Bisected<Row>,
): Promise<void> {
  /** @returns whether all rows were accepted */
  const tryRows = async (part: readonly Row[]): Promise<boolean> => {
    try {
      const [, result] = await pipelined(connection, SAVEPOINT, query(part), RELEASE)
      take(part, result)
      return true
    } catch (error) {
      if (verdictOn(error) !== 'row') throw error
      await pipelined(connection, ROLLBACK_PART, RELEASE)
      const [first, ...others] = part
      if (first !== undefined && others.length === 0) refuse(first, error)
      else await tryHalves(part)
      return false
    }
  }
  const tryHalves = async (part: readonly Row[]): Promise<void> => {
    const middle = part.length >> 1
    const rest = part.slice(middle)
    // If the first half is good, the other is known to fail; only a row on its own is tried nevertheless, for its error.
    if ((await tryRows(part.slice(0, middle))) && rest.length > 1) await tryHalves(rest)
    else await tryRows(rest)
  }
  if (rows.length > 0) await tryRows(rows)
}

export const SAVEPOINT = { text: 'savepoint part' }
export const RELEASE = { text: 'release savepoint part' }
/** RELEASE follows: the savepoint is still there, and each one left open gets every later one a transaction id. */
export const ROLLBACK_PART = { text: 'rollback to savepoint part' }
