import type { QueryConfig } from 'pg'
import { type Answer, STATEMENTS } from './statements.ts'
import type { Tables } from './tables.ts'
import { DatabaseError, Transaction } from './transaction.ts'

/** One database session: executes statements one at a time, under the rules of transactions. */
export class Backend {
  readonly #tables: Tables
  readonly #minute: () => string
  readonly #onCommit: () => void
  #transaction: Transaction | null = null

  /** @param onCommit called with the changes just committed */
  constructor(tables: Tables, minute: () => string, onCommit: () => void) {
    this.#tables = tables
    this.#minute = minute
    this.#onCommit = onCommit
  }

  /** @throws DatabaseError */
  async execute({ name, text, values }: QueryConfig): Promise<Answer> {
    if (text === 'commit') return this.#commit()
    if (text === 'rollback') {
      this.end()
      return { command: 'ROLLBACK', rows: [] }
    }
    if (this.#transaction?.isAborted && text !== 'rollback to savepoint part') {
      throw new DatabaseError('25P02', 'current transaction is aborted')
    }
    if (text === 'begin') {
      this.#transaction ??= new Transaction()
      return { command: 'BEGIN', rows: [] }
    }
    if (text.endsWith('savepoint part')) return this.#savepoint(text)
    const transaction = this.#transaction ?? new Transaction()
    const statement = STATEMENTS[name ?? text]
    if (statement === undefined) {
      throw new Error(
        `The simulated database does not know the statement ${name ?? text}; add it to statements.ts`,
      )
    }
    try {
      const answer = await statement({
        tables: this.#tables,
        transaction,
        values: values ?? [],
        minute: this.#minute(),
      })
      // Outside a transaction block each statement is its own transaction.
      if (transaction !== this.#transaction) {
        transaction.commit()
        this.#onCommit()
      }
      return answer
    } catch (error) {
      transaction.abort()
      throw error
    }
  }

  /** A fault at a statement aborts the transaction. */
  fail(): void {
    this.#transaction?.abort()
  }

  /** The session or its transaction ends; uncommitted changes are undone. */
  end(): void {
    this.#transaction?.rollback()
    this.#transaction = null
  }

  #savepoint(text: string): Answer {
    const transaction = this.#transaction
    if (transaction === null) throw new DatabaseError('25P01', `${text} outside of a transaction`)
    if (text === 'savepoint part') {
      transaction.savepoint()
      return { command: 'SAVEPOINT', rows: [] }
    }
    if (!transaction.hasSavepoint) {
      transaction.abort()
      throw new DatabaseError('3B001', 'savepoint "part" does not exist')
    }
    if (text === 'release savepoint part') {
      transaction.release()
      return { command: 'RELEASE', rows: [] }
    }
    transaction.rollbackToSavepoint()
    return { command: 'ROLLBACK', rows: [] }
  }

  #commit(): Answer {
    const transaction = this.#transaction
    this.#transaction = null
    if (transaction === null) return { command: 'COMMIT', rows: [] }
    if (transaction.isAborted) {
      transaction.rollback()
      return { command: 'ROLLBACK', rows: [] }
    }
    transaction.commit()
    this.#onCommit()
    return { command: 'COMMIT', rows: [] }
  }
}
