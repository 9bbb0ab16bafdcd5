import type { QueryConfig, QueryResult } from 'pg'

/** COPY … FROM STDIN and its rows. */
export interface CopyQuery {
  /** For people and tests: a COPY cannot be prepared. */
  readonly name: string
  readonly text: string
  /** In the text format (PostgreSQL manual, COPY). */
  readonly data: Buffer
}

/** What the sink needs of a connection; all is sent at once, without waiting for the answer to what was before. */
export interface Connection {
  /** False once it has ended, for whatever reason. */
  readonly isOpen: boolean
  /** A trigger of somebody's own could change or drop rows of `events`, and COPY would not say which. */
  readonly maySkipRows: boolean
  query(query: QueryConfig): Promise<QueryResult>
  /** @returns how many rows were copied */
  copy(query: CopyQuery): Promise<number>
  /** Ends it without a word, from a dead peer too. Outstanding queries fail. */
  destroy(): void
}

/**
 * Sends statements in one go and waits for all of them: one round trip. The first failure is thrown, and then
 * PostgreSQL has skipped the rest of the transaction.
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
