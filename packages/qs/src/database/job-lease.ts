import type pg from 'pg'
import { ADVISORY_LOCKS } from './advisory-locks.ts'
import { streamOf } from './connect.ts'
import { openClient } from './open-client.ts'

type Job = 'backupSchedule' | 'alerts'

/**
 * Gives a job to one of several ingesters: an advisory lock in a session that lasts as long as the process. Another one
 * takes over the next time that it asks after this one has ended.
 */
export class JobLease {
  readonly #job: Job
  #client: pg.Client | null = null

  constructor(job: Job) {
    this.#job = job
  }

  /** @returns whether the job is this process's; @throws Error if the database cannot be reached */
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
      ...{ name: `qs-lease-${this.#job}`, connectTimeoutMs: 5_000, queryTimeoutMs: 10_000 },
    })
    const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [
      ADVISORY_LOCKS[this.#job],
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
