import { sqlstateOf, verdictOn } from './sqlstate.ts'

const LOGIN =
  'the login of the ingester: its password or pg_hba.conf was changed. Revert the change, or write the new URL to ' +
  'the file in DATABASE_URL_FILE, which is read on each attempt; if DATABASE_URL is not in a file, restart the ' +
  'ingester with the new one (qs up: write the new password to postgres-password-ingester in QS_DATA_DIR)'

/** By SQLSTATE class: what PostgreSQL refuses, and what to do. */
const ADVICE: Readonly<Record<string, string>> = {
  '28': LOGIN,
  '3D': 'the connection: the database in DATABASE_URL no longer exists. Restore it, or restart the ingester with another URL',
  '42': 'a statement: a table, a column or a right is missing. Run qs migrate as the owner of the tables',
}

/**
 * Whether PostgreSQL accepts the ingester's login and statements, for all writers together.
 *
 * On the first start a refusal is a wrong set-up, and the operator is there to read why the process ended. Later it is
 * an outage, such as a changed password or right, and ingest must resume by itself once that is fixed.
 */
export class SetUp {
  #hasWorked = false
  #problem: string | null = null

  /** What PostgreSQL refuses now, and what to do about it. */
  get problem(): string | null {
    return this.#problem
  }

  worked(): void {
    this.#hasWorked = true
    this.#problem = null
  }

  /**
   * A batch failed.
   *
   * @returns whether to retry. A refused login is always retried: the start has logged in before any writer did.
   */
  failed(error: unknown): boolean {
    const verdict = verdictOn(error)
    if (verdict !== 'stop' && verdict !== 'refused') return true
    const sqlstate = sqlstateOf(error) ?? ''
    this.#problem = `PostgreSQL refuses (${sqlstate}) ${ADVICE[sqlstate.slice(0, 2)]}. Nothing is lost meanwhile`
    return verdict === 'refused' || this.#hasWorked
  }
}
