import assert from 'node:assert/strict'
import { Client } from 'pg'
import { INSERT, type Row } from '../../packages/qs/test/segments/odd-events.ts'
import { lasting } from './lasting.ts'
import type { Postgres } from './postgres.ts'

const NAME = 'case-sealing'
/** Small, so that a kill meets many steps. */
const STEP = `select is_end from seal_next('3 days', 200)`

/**
 * Copies of all rows, in the transaction that inserts them. `witnessed.events` has those of the devices and is what the
 * superuser, that is the witness, finds as `events`: sealing moves rows, and the promises hold for what arrived.
 * Late events arrive two days ago, because nothing that arrived within a day is sealed.
 */
const WITNESSED = `
create schema witnessed;
create table filled as select * from events;
create table witnessed.events (like events);
create index on witnessed.events (event_id);
create function made_older() returns trigger language plpgsql as $$
begin
  if new.ts < now() - interval '3 days' then new.ts_server := new.ts_server - interval '2 days'; end if;
  return new;
end $$;
create function witnessed() returns trigger language plpgsql security definer as $$
begin
  insert into witnessed.events select new.*;
  return null;
end $$;
create trigger made_older before insert on events for each row execute function made_older();
create trigger witnessed after insert on events for each row execute function witnessed();
alter role postgres set search_path = witnessed, public;
update event_hours_state set covered_to = now()`

const FILL = `
insert into events (event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_server, schema, meta)
select 'filled-' || d || '-1-' || i, 'filled-' || d, 'temp', case when i % 9 = 0 then '-0'::float8 when i % 10 > 0 then i / 7.0 end,
  case when i % 10 = 0 then 'text ' || i end, '°C', at, at, at + interval '20.000317 ms', 1,
  case when i % 5 = 0 then '{"n": 1.00}'::jsonb end
from generate_series(1, 6) d, generate_series(1, $1::int) i,
  lateral (select timestamptz '2026-06-01T00:00:00.123457Z' + (i * 10.003 + d) * interval '1 second' as at) x`

/** `*=` compares bytes: −0 is not 0, and 1.0 in meta is not 1.00. */
const VERDICT = `
with arrived as (select * from filled union all select * from witnessed.events)
select (select count(*) from arrived)::int as arrived, (select count(*) from public.event_history)::int as kept,
  (select count(*) from arrived a join public.event_history h on h.event_id = a.event_id and h.ts = a.ts where a *= h)::int as same,
  (select coalesce(sum(events), 0) from public.event_segments)::int as sealed,
  (select count(*) from public.event_segments where content <> segment_content(segment_id))::int as spoiled`

interface Verdict {
  readonly arrived: number
  readonly kept: number
  readonly same: number
  readonly sealed: number
  readonly spoiled: number
}

/** Rows to be sealed, of devices that send nothing, and what is needed to compare. */
export async function prepareSealing(
  postgres: Postgres,
  { odd, eventsEach }: { readonly odd: readonly Row[]; readonly eventsEach: number },
): Promise<void> {
  const client = await connected(postgres.url, 'prepare')
  try {
    await client.query(`${INSERT} on conflict do nothing`, [JSON.stringify(odd)])
    await client.query(FILL, [eventsEach])
    await client.query('select recount_series()')
  } finally {
    await client.end()
  }
  await postgres.query(WITNESSED)
}

/** Seals without a pause, in a session that comes back whenever it has ended. */
export class SealingSession {
  readonly #url: string
  #isStopped = false
  #ended: Promise<void>

  constructor(postgres: Postgres) {
    this.#url = postgres.url
    this.#ended = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#ended
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#session().catch(() => lasting(20))
    }
  }

  async #session(): Promise<void> {
    const client = await connected(this.#url, NAME)
    try {
      while (!this.#isStopped) await client.query(STEP)
    } finally {
      await client.end().catch(() => {})
    }
  }
}

/** The process of the session that is sealing now; null if none is. */
export async function sealingPid(postgres: Postgres): Promise<number | null> {
  const [found] = await postgres
    .query(`select pid from pg_stat_activity where application_name = '${NAME}' and state = 'active'`)
    .catch(() => [])
  return (found?.pid as number | undefined) ?? null
}

/** Seals the rest. */
export async function sealAll(postgres: Postgres): Promise<void> {
  const client = await connected(postgres.url, NAME)
  try {
    for (let isEnd = false; !isEnd; ) isEnd = (await client.query(STEP)).rows[0].is_end
  } finally {
    await client.end()
  }
}

/** Everything that ever arrived is there once, in all columns as the same bytes. @returns how many are sealed */
export async function checkSealed(postgres: Postgres): Promise<Verdict> {
  const [row] = await postgres.query(VERDICT)
  const verdict = row as unknown as Verdict
  const { arrived, kept, same, spoiled } = verdict
  assert.deepEqual({ kept, same, spoiled }, { kept: arrived, same: arrived, spoiled: 0 })
  return verdict
}

async function connected(connectionString: string, name: string): Promise<Client> {
  const client = new Client({ connectionString, application_name: name, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  return client
}
