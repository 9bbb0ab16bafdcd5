import type pg from 'pg'
import { streamOf } from '../database/connect.ts'
import { openClient } from '../database/open-client.ts'

/** An arbitrary number, the same in all ingesters. */
const SCHEDULE_LOCK = 7_141_120_232

/**
 * Makes one of several ingesters the one that makes the backups: an advisory lock in a session that lasts as long as the
 * process. Another one takes over at most a minute after it has ended.
 */
export class BackupLease {
  #client: pg.Client | null = null

  /** @returns whether this process makes the backups; @throws Error if the database cannot be reached */
  async hold(databaseUrl: string): Promise<boolean> {
    if (this.#client !== null) {
      const isAlive = await this.#client.query('select 1').then(
        () => true,
        () => false,
      )
      if (isAlive) return true
      this.release()
    }
    const client = await openClient(databaseUrl, {
      ...{ name: 'qs-backup-schedule', connectTimeoutMs: 5_000, queryTimeoutMs: 10_000 },
    })
    const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [
      SCHEDULE_LOCK,
    ])
    if (rows[0]?.held) this.#client = client
    else await client.end()
    return this.#client !== null
  }

  release(): void {
    if (this.#client !== null) streamOf(this.#client).destroy()
    this.#client = null
  }
}
