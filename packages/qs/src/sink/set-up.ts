import { sqlstateOf, verdictOn } from './sqlstate.ts'

const LOGIN =
  'the login of the ingester: its password was changed, or pg_hba.conf was. Set it back, or write the new URL into the file ' +
  'of DATABASE_URL_FILE, which is read at each try; where DATABASE_URL is not in a file, start the ingester again with the ' +
  'new one (qs up: the new password goes into postgres-password in QS_DATA_DIR)'

/** By SQLSTATE class: what is refused, and what to do. */
const ADVICE: Readonly<Record<string, string>> = {
  '28': LOGIN,
  '3D': 'the database of DATABASE_URL, which is not there any more. Restore it, or start the ingester with the right DATABASE_URL',
  '42': 'a statement: a table, a column or a right was taken away. Run qs migrate as the owner of the tables',
}

/**
 * Whether PostgreSQL lets the ingester do its work, for all writers together.
 *
 * At the first start a refusal is a wrong set-up, and somebody is there to read why the process ended. Later it is an
 * outage: somebody changes a password or a right, and all has to go on by itself once it fits again.
 */
export class SetUp {
  #hasWorked = false
  #problem: string | null = null

  /** What is refused now, and what to do about it. */
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
   * @returns whether to try it again. A refused login always is: the start has logged in before there was a writer.
   */
  failed(error: unknown): boolean {
    const verdict = verdictOn(error)
    if (verdict !== 'stop' && verdict !== 'refused') return true
    const sqlstate = sqlstateOf(error) ?? ''
    this.#problem = `PostgreSQL refuses (${sqlstate}) ${ADVICE[sqlstate.slice(0, 2)]}. Nothing is lost meanwhile`
    return verdict === 'refused' || this.#hasWorked
  }
}
