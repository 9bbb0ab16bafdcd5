import type { TestContext } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import type { Client } from 'pg'
import { openSession } from './session.ts'
import type { Stage } from './stage.ts'

/** Long enough for a busy machine. */
const PATIENCE_MS = 60_000

/** Where a transaction of the ingester can be held. */
const PLACES = {
  /** Begun; rows not inserted yet. */
  insert: {
    key: 4711,
    trigger: 'before insert on events for each statement',
    kind: 'trigger',
  },
  /** All statements are answered and COMMIT is under way. Every batch writes there, even one of duplicates only. */
  commit: {
    key: 4712,
    trigger: 'after insert or update on ingest_stats deferrable initially deferred for each row',
    kind: 'constraint trigger',
  },
} as const

export type Place = keyof typeof PLACES

/**
 * While closed, holds the ingester's transactions at one place: a trigger there waits for an advisory lock that this
 * session holds. A fault thus hits exactly that place, however busy the machine is.
 */
export class Gate {
  readonly session: Client
  readonly #key: number

  private constructor(session: Client, key: number) {
    this.session = session
    this.#key = key
  }

  static async build(t: TestContext, stage: Pick<Stage, 'postgres'>, place: Place): Promise<Gate> {
    const { key, trigger, kind } = PLACES[place]
    const session = await openSession(t, stage.postgres)
    await session.query(`
      create or replace function gate() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock_shared(tg_argv[0]::bigint);
        return null;
      end $$;
      create ${kind} gate_${place} ${trigger} execute function gate(${key})`)
    return new Gate(session, key)
  }

  async close(): Promise<void> {
    await this.session.query('select pg_advisory_lock($1)', [this.#key])
  }

  async open(): Promise<void> {
    await this.session.query('select pg_advisory_unlock($1)', [this.#key])
  }

  /** Resolves when a transaction is held. */
  async holds(): Promise<void> {
    const isHeld = async () => {
      const { rows } = await this.session.query(
        `select 1 from pg_locks where locktype = 'advisory' and objid = $1 and not granted`,
        [this.#key],
      )
      return rows.length > 0
    }
    await until(isHeld, 'a transaction of the ingester is held', PATIENCE_MS)
  }

  /** Resolves when no COMMIT of the ingester is under way. */
  async passed(): Promise<void> {
    const areThrough = async () => {
      const { rows } = await this.session.query(
        `select 1 from pg_stat_activity where usename = 'qs' and state = 'active' and query = 'commit'`,
      )
      return rows.length === 0
    }
    await until(areThrough, 'the transactions of the ingester are committed', PATIENCE_MS)
  }
}
