import pg from 'pg'

/** COPY … FROM STDIN and all its rows. */
export interface CopyStatement {
  readonly text: string
  readonly data: Buffer
}

/** Methods of `pg` that its types lack. */
interface CopyConnection {
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

/**
 * A COPY that sends its rows together with the statement, without waiting for CopyInResponse: one round trip together
 * with the statements before and after it. If the statement fails, the server discards the rows that follow (PostgreSQL
 * manual, Message Flow, COPY Operations).
 *
 * It is a `pg.Query`, since a pipelining client accepts nothing else (pg 8.23).
 */
export class CopyIn extends pg.Query {
  readonly #statement: CopyStatement

  /** @param callback called with the error, or with the number of rows copied */
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

  /** Everything has been sent already. */
  handleCopyInResponse(): void {}
}
