import type { QueryConfig } from 'pg'

/** received = stored + duplicate + rejected; a constraint of the table checks it. */
export interface Counts {
  readonly messages: number
  readonly stored: number
  readonly duplicate: number
  readonly rejected: number
}

/** A row per writer, so that two transactions never wait for each other's counts. */
const SQL = `
insert into ingest_stats as s (minute, writer, messages, received, stored, duplicate, rejected)
values (date_trunc('minute', now()), $1, $2, $3::bigint + $4::bigint + $5::bigint, $3, $4, $5)
on conflict (minute, writer) do update set
  messages = s.messages + excluded.messages,
  received = s.received + excluded.received,
  stored = s.stored + excluded.stored,
  duplicate = s.duplicate + excluded.duplicate,
  rejected = s.rejected + excluded.rejected`

export function addStats(writer: string, counts: Counts): QueryConfig {
  const { messages, stored, duplicate, rejected } = counts
  return { name: 'add-stats', text: SQL, values: [writer, messages, stored, duplicate, rejected] }
}
