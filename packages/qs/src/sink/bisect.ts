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
 * savepoint. One bad row among n costs about 2 log n statements.
 *
 * @throws errors that no row causes
 */
export async function bisect<Row>(
  connection: Connection,
  rows: readonly Row[],
  { query, take, refuse }: Bisected<Row>,
): Promise<void> {
  const tryRows = async (part: readonly Row[]): Promise<void> => {
    try {
      const [, result] = await pipelined(connection, SAVEPOINT, query(part), RELEASE)
      take(part, result)
    } catch (error) {
      if (verdictOn(error) !== 'row') throw error
      await pipelined(connection, ROLLBACK_PART)
      const [first, ...others] = part
      if (first !== undefined && others.length === 0) {
        refuse(first, error)
        return
      }
      const middle = part.length >> 1
      await tryRows(part.slice(0, middle))
      await tryRows(part.slice(middle))
    }
  }
  await tryRows(rows)
}

const SAVEPOINT = { text: 'savepoint part' }
const RELEASE = { text: 'release savepoint part' }
const ROLLBACK_PART = { text: 'rollback to savepoint part' }
