import { momentText } from '../database/moment-text.ts'
import type { Ask } from '../database/query-pool.ts'
import { QsError } from '../errors/qs-error.ts'
import type { Rule } from './rule.ts'

const LIST = `
select name, kind, devices, types, rooms, unit, above, below, back, for_seconds as "forSeconds",
  remind_seconds as "remindSeconds", urgent, channels,
  case when muted_until = 'infinity' then '9999-12-31T00:00:00Z' else ${momentText('muted_until')} end as "mutedUntil"
from alert_rules order by name`

const PUT = `
insert into alert_rules (name, kind, devices, types, rooms, unit, above, below, back, for_seconds, remind_seconds, urgent, channels)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (name) do update set (kind, devices, types, rooms, unit, above, below, back, for_seconds, remind_seconds, urgent, channels)
  = row(excluded.kind, excluded.devices, excluded.types, excluded.rooms, excluded.unit, excluded.above, excluded.below, excluded.back,
    excluded.for_seconds, excluded.remind_seconds, excluded.urgent, excluded.channels)`

export function listRules(ask: Ask): Promise<readonly Rule[]> {
  return ask.query<Rule>(LIST)
}

/** Adds a rule or replaces it; a mute stays. @throws QsError if the rule makes no sense */
export async function putRule(ask: Ask, rule: Rule, isNew: boolean): Promise<void> {
  checkRule(rule)
  const found = await ask.query<{ name: string }>('select name from alert_rules where name = $1', [rule.name])
  if (isNew && found.length > 0)
    throw new QsError(
      'WRONG_ALERT',
      `There is a rule ${rule.name} already; replace it with --replace, or remove it first`,
    )
  const unknown = await ask.query<{ name: string }>(
    'select name from unnest($1::text[]) as name where name not in (select c.name from alert_channels c)',
    [rule.channels],
  )
  if (unknown.length > 0)
    throw new QsError('WRONG_ALERT', `There is no channel ${unknown.map(({ name }) => name).join(', ')}`)
  await ask.query(PUT, [
    ...[
      rule.name,
      rule.kind,
      rule.devices,
      rule.types,
      rule.rooms,
      rule.unit,
      rule.above,
      rule.below,
      rule.back,
    ],
    ...[rule.forSeconds, rule.remindSeconds, rule.urgent, rule.channels],
  ])
}

/** @returns whether there was one */
export async function removeRule(ask: Ask, name: string): Promise<boolean> {
  return (await ask.query('delete from alert_rules where name = $1 returning name', [name])).length > 0
}

/** @param until null: send again; @returns whether there is such a rule */
export async function muteRule(ask: Ask, name: string, until: Date | 'infinity' | null): Promise<boolean> {
  const time = until instanceof Date ? until.toISOString() : until
  const rows = await ask.query('update alert_rules set muted_until = $2 where name = $1 returning name', [
    name,
    time,
  ])
  return rows.length > 0
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/

export function checkName(name: string): void {
  if (!NAME.test(name))
    throw new QsError(
      'WRONG_ALERT',
      'A name takes lower-case letters, digits, - and _, at most 63, and begins with a letter or digit',
    )
}

function checkRule({ name, kind, above, below, back }: Rule): void {
  checkName(name)
  if (kind === 'value' && above === null && below === null)
    throw new QsError('WRONG_ALERT', 'A rule of kind value needs a limit: above, below, or both')
  if (above !== null && below !== null && below >= above)
    throw new QsError('WRONG_ALERT', `below (${below}) has to be less than above (${above})`)
  if (kind === 'value' && above !== null && below !== null && back * 2 >= above - below)
    throw new QsError(
      'WRONG_ALERT',
      `With back ${back} no value between ${below} and ${above} would end the alert`,
    )
}
