import pg from 'pg'

/** COPY … FROM STDIN and all its rows. */
export interface CopyStatement {
  readonly text: string
  readonly data: Buffer
}

/** What `pg` has and its types lack. */
interface CopyConnection {
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

/**
 * A COPY whose rows leave together with the statement, without waiting for CopyInResponse: one round trip with what
 * stands before and behind it. Where the statement fails, the server drops the rows that come after it (PostgreSQL
 * manual, Message Flow, COPY Operations).
 *
 * A `pg.Query`, since a pipelining client takes nothing else (pg 8.23).
 */
export class CopyIn extends pg.Query {
  readonly #statement: CopyStatement

  /** @param callback called with the error, or with how many rows were copied */
  constructor(statement: CopyStatement, callback: (error: Error | null, rows: number) => void) {
    super(statement.text, (error, result) => callback(error ?? null, result?.rowCount ?? 0))
    this.#statement = statement
  }

  override submit = (connection: unknown) => {
    const copying = connection as CopyConnection
    copying.query(this.#statement.text)
    copying.sendCopyFromChunk(this.#statement.data)
    copying.endCopyFrom()
  }

  /** All is sent already. */
  handleCopyInResponse(): void {}
}
