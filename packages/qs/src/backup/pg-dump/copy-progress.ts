import type pg from 'pg'

const INTERVAL_MS = 250

export interface CopyProgressOptions {
  /** The application_name of the copying session, which has the same role. */
  readonly name: string
  readonly total: number
  /** Rows of the table being copied now; the largest table dominates the time. */
  readonly onRows: (done: number, total: number) => void
}

/** Reports the progress of a COPY in another session until the returned function is called. */
export function watchCopy(client: pg.Client, { name, total, onRows }: CopyProgressOptions): () => void {
  const look = async () => {
    const { rows } = await client.query<{ rows: string }>(
      `select coalesce(sum(p.tuples_processed), 0) as rows
       from pg_stat_progress_copy p join pg_stat_activity a using (pid) where a.application_name = $1`,
      [name],
    )
    onRows(Math.min(Number(rows[0]?.rows), total), total)
  }
  const timer = setInterval(() => look().catch(() => {}), INTERVAL_MS)
  return () => clearInterval(timer)
}
