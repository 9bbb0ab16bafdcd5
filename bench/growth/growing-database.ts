import { Client } from 'pg'
import type { Ids } from '../load/event-stream.ts'
import type { Database } from '../stack/database.ts'

/** Measured: enough for fifty million rows with three indexes, for building them and for the WAL. */
const BYTES_PER_ROW = 500
const FIXED_BYTES = 4e9
const ROWS_PER_STATEMENT = 1_000_000
const DEVICES = 100
/** Boot counter in the ordered ids; measured events have a higher one. */
const BOOT = 6

const ID: Readonly<Record<Ids, string>> = {
  ordered: `format('%s-${BOOT}-%s', device_id, lpad((n / ${DEVICES})::text, 8, '0'))`,
  random: 'gen_random_uuid()::text',
}

/** Rows as the ingester would have stored them a month ago, at 20,000 a second. */
const fill = (ids: Ids) => `
insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_device, ts_server, schema, meta)
select ${ID[ids]}, device_id, 'temp', 18 + n % 997 / 100.0, '°C', at, at, at + interval '20 milliseconds', 1,
  jsonb_build_object('rssi', -50 - n % 40, 'channel', 1 + n % 13, 'fw', '1.4.2')
from (
  select n, 'esp32-' || lpad((n % ${DEVICES})::text, 5, '0') as device_id,
    $3::timestamptz + n * interval '50 microseconds' as at
  from generate_series($1::bigint, $2::bigint) as n) as numbered`

/** A database whose `events` grows in steps. It holds one table at a time: of ordered or of random ids. */
export class GrowingDatabase {
  readonly #database: Database
  #ids: Ids | null = null
  #url = ''
  #rows = 0
  #start = new Date()

  constructor(database: Database) {
    this.#database = database
  }

  /** About the free disk space needed for this many rows. */
  static bytesFor(rows: number): number {
    return FIXED_BYTES + BYTES_PER_ROW * rows
  }

  /**
   * Provides the database with at least this many rows, indexed, vacuumed, analyzed and checkpointed.
   *
   * @returns its URL
   */
  async with(ids: Ids, rows: number, onProgress: (text: string) => void): Promise<string> {
    if (this.#ids !== ids) await this.#begin(ids)
    const client = new Client({ connectionString: this.#url })
    client.on('error', () => {})
    await client.connect()
    try {
      if (this.#rows < rows) await this.#grow(client, rows, onProgress)
      // Resets the counters of the previous run and skips hourly numbers of the generated events.
      await client.query('truncate ingest_stats, devices')
      await client.query(`update event_hours_state set covered_to = date_trunc('hour', now(), 'UTC')`)
      onProgress('vacuum and checkpoint')
      await client.query('vacuum (analyze) events')
      await client.query('checkpoint')
    } finally {
      await client.end()
    }
    return this.#url
  }

  async #begin(ids: Ids): Promise<void> {
    if (this.#ids !== null) await this.#database.drop(name(this.#ids))
    this.#url = await this.#database.fresh(name(ids))
    this.#ids = ids
    this.#rows = 0
    this.#start = new Date(Date.now() - 30 * 86_400_000)
  }

  async #grow(client: Client, rows: number, onProgress: (text: string) => void): Promise<void> {
    await client.query("set synchronous_commit = off; set maintenance_work_mem = '1GB'")
    const indexes = await takeIndexes(client)
    for (let first = this.#rows; first < rows; first += ROWS_PER_STATEMENT) {
      const last = Math.min(rows, first + ROWS_PER_STATEMENT) - 1
      await client.query(fill(this.#ids as Ids), [first, last, this.#start])
      onProgress(`${(last + 1).toLocaleString('en')} rows`)
    }
    onProgress('building indexes')
    for (const sql of indexes) await client.query(sql)
    this.#rows = rows
  }
}

function name(ids: Ids): string {
  return `growth-${ids}`
}

/** Drops all indexes of `events`. @returns the statements that recreate them */
async function takeIndexes(client: Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ drop: string; make: string }>(`
    select
      case when c.oid is null then format('drop index %s', i.indexrelid::regclass)
        else format('alter table events drop constraint %I', c.conname) end as drop,
      case when c.oid is null then pg_get_indexdef(i.indexrelid)
        else format('alter table events add constraint %I %s', c.conname, pg_get_constraintdef(c.oid)) end as make
    from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
    where i.indrelid = 'events'::regclass`)
  for (const { drop } of rows) await client.query(drop)
  return rows.map(({ make }) => make)
}
