import type { QueryConfig, QueryResult } from 'pg'

/** COPY … FROM STDIN and its rows. */
export interface CopyQuery {
  /** For logs and tests: a COPY cannot be prepared. */
  readonly name: string
  readonly text: string
  /** In the text format (PostgreSQL manual, COPY). */
  readonly data: Buffer
}

/** The connection that the sink needs: every query is sent at once, without waiting for earlier results. */
export interface Connection {
  /** False once the connection has ended, for any reason. */
  readonly isOpen: boolean
  /** A custom trigger may change or drop rows of `events`, and COPY would not say which. */
  readonly maySkipRows: boolean
  query(query: QueryConfig): Promise<QueryResult>
  /** @returns the number of rows copied */
  copy(query: CopyQuery): Promise<number>
  /** Ends the connection at once, even if the peer is dead. Outstanding queries fail. */
  destroy(): void
}

/**
 * Sends all statements at once and waits for their results: one round trip. Throws the first failure, after which
 * PostgreSQL skips the rest of the transaction.
 */
export async function pipelined(
  connection: Connection,
  ...queries: readonly QueryConfig[]
): Promise<QueryResult[]> {
  const answers = await Promise.allSettled(queries.map(async (query) => connection.query(query)))
  return answers.map((answer) => {
    if (answer.status === 'rejected') throw answer.reason
    return answer.value
  })
}

export const BEGIN: QueryConfig = { text: 'begin' }
export const COMMIT: QueryConfig = { text: 'commit' }
export const ROLLBACK: QueryConfig = { text: 'rollback' }
