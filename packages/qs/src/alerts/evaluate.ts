import { ADVISORY_LOCKS } from '../database/advisory-locks.ts'
import { askClient } from '../database/ask-client.ts'
import type { Ask, QueryPool } from '../database/query-pool.ts'
import { CONDITIONS, type Found, type ServiceState } from './conditions.ts'
import { type AlertState, type Judgement, judge } from './judge.ts'
import type { Rule } from './rule.ts'

const MS = (column: string) => `extract(epoch from ${column})::float8 * 1000`

const STATES = `
select device_id as "deviceId", event_type as "eventType", state, ${MS('since')} as "sinceMs", ${MS('fired_at')} as "firedMs",
  ${MS('notified_at')} as "notifiedMs", value, message
from alert_states where rule = $1`

const CHANGE = `
insert into alert_states (rule, device_id, event_type, state, since, fired_at, notified_at, value, message)
select $1, x."deviceId", x."eventType", x.state, to_timestamp(x."sinceMs" / 1000), to_timestamp(x."firedMs" / 1000),
  to_timestamp(x."notifiedMs" / 1000), x.value, x.message
from jsonb_to_recordset($2::jsonb) as x("deviceId" text, "eventType" text, state text, "sinceMs" float8, "firedMs" float8,
  "notifiedMs" float8, value float8, message text)
on conflict (rule, device_id, event_type) do update set (state, since, fired_at, notified_at, value, message)
  = row(excluded.state, excluded.since, excluded.fired_at, excluded.notified_at, excluded.value, excluded.message)`

const FORGET = `
delete from alert_states s using jsonb_to_recordset($2::jsonb) as x("deviceId" text, "eventType" text)
where s.rule = $1 and s.device_id = x."deviceId" and s.event_type = x."eventType"`

/** To the channels of the rule, or to all. A channel hears of a device once in a message, so the rows need no other order. */
const TELL = `
with said as (
  insert into alert_history (at, rule, device_id, event_type, change, message, value)
  select $2, $1, x."deviceId", x."eventType", x.change, x.message, x.value
  from jsonb_to_recordset($3::jsonb) as x("deviceId" text, "eventType" text, change text, message text, value float8)
  returning history_id)
insert into alert_outbox (channel, history_id, urgent, created_at)
select c.name, said.history_id, $4, $2 from said, alert_channels c
where $5 and (cardinality($6::text[]) = 0 or c.name = any($6)) order by history_id`

export interface World {
  readonly now: Date
  readonly service: ServiceState
}

/**
 * Evaluates one rule: its states, its history and what channels have to be told change in one transaction. Under a lock, so two
 * ingesters that both think it is their turn go one after the other, and the second finds nothing new.
 *
 * @returns whether anything is to be sent
 */
export async function evaluateRule(pool: QueryPool, rule: Rule, { now, service }: World): Promise<boolean> {
  return pool.use(async (client) => {
    const ask = askClient(client)
    await client.query('begin')
    await ask.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.alertRules])
    const judgement = await judgeRule(ask, rule, { now, service })
    await keep(ask, rule, judgement, now)
    await client.query('commit')
    return judgement.news.some(({ isTold }) => isTold)
  })
}

async function judgeRule(ask: Ask, rule: Rule, { now, service }: World): Promise<Judgement> {
  const states = await ask.query<AlertState>(STATES, [rule.name])
  const isFiring = states.some(({ state }) => state === 'firing')
  const found: readonly Found[] = await CONDITIONS[rule.kind](ask, { rule, now, isFiring, service })
  return judge(rule, { found, states }, now.getTime())
}

async function keep(ask: Ask, rule: Rule, { changed, gone, news }: Judgement, now: Date): Promise<void> {
  if (changed.length > 0) await ask.query(CHANGE, [rule.name, JSON.stringify(changed)])
  if (gone.length > 0) await ask.query(FORGET, [rule.name, JSON.stringify(gone)])
  for (const isTold of [true, false]) {
    const some = news.filter((each) => each.isTold === isTold)
    if (some.length > 0)
      await ask.query(TELL, [rule.name, now, JSON.stringify(some), rule.urgent, isTold, rule.channels])
  }
}
