import { momentText } from '../database/moment-text.ts'
import type { Ask } from '../database/query-pool.ts'
import { QsError } from '../errors/qs-error.ts'
import { type ChannelKind, type ChannelSettings, checkSettings, shownSettings } from './channel-kinds.ts'
import { checkName } from './rules.ts'

export interface QuietHours {
  /** `22:00` */
  readonly from: string
  readonly to: string
  /** IANA name. */
  readonly zone: string
}

export interface NewChannel {
  readonly name: string
  readonly kind: ChannelKind
  readonly settings: ChannelSettings
  readonly quiet: QuietHours | null
}

/** A channel for people: without its secrets. */
export interface Channel {
  readonly name: string
  readonly kind: ChannelKind
  readonly shown: string
  readonly quietFrom: string | null
  readonly quietTo: string | null
  readonly quietZone: string | null
  readonly failingSince: string | null
  readonly error: string | null
  readonly sentAt: string | null
  /** Messages that have not been sent. */
  readonly waiting: number
}

const LIST = `
select name, kind, shown, to_char(quiet_from, 'HH24:MI') as "quietFrom", to_char(quiet_to, 'HH24:MI') as "quietTo",
  quiet_zone as "quietZone", ${momentText('failing_since')} as "failingSince", error, ${momentText('sent_at')} as "sentAt",
  (select count(*)::int from alert_outbox o where o.channel = c.name and o.sent_at is null) as waiting
from alert_channels c order by name`

const ADD = `
insert into alert_channels (name, kind, settings, shown, quiet_from, quiet_to, quiet_zone)
values ($1, $2, $3, $4, $5, $6, $7)`

export function listChannels(ask: Ask): Promise<readonly Channel[]> {
  return ask.query<Channel>(LIST)
}

/** @throws QsError if it makes no sense, or the name is taken */
export async function addChannel(ask: Ask, { name, kind, settings, quiet }: NewChannel): Promise<void> {
  checkName(name)
  checkSettings(kind, settings)
  const taken = await ask.query('select name from alert_channels where name = $1', [name])
  if (taken.length > 0)
    throw new QsError('WRONG_ALERT', `There is a channel ${name} already; remove it first`)
  await ask.query(ADD, [
    ...[name, kind, JSON.stringify(settings), shownSettings(kind, settings)],
    ...[quiet?.from ?? null, quiet?.to ?? null, quiet?.zone ?? null],
  ])
}

/** What it has not sent goes with it. @returns whether there was one; @throws QsError if a rule names it */
export async function removeChannel(ask: Ask, name: string): Promise<boolean> {
  const rules = await ask.query<{ name: string }>('select name from alert_rules where $1 = any(channels)', [
    name,
  ])
  if (rules.length > 0)
    throw new QsError(
      'WRONG_ALERT',
      `The rules ${rules.map((rule) => rule.name).join(', ')} send to ${name}: change them first`,
    )
  return (await ask.query('delete from alert_channels where name = $1 returning name', [name])).length > 0
}
