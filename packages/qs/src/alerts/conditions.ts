import type { Ask } from '../database/query-pool.ts'
import { counted } from '../telemetry/counted.ts'
import { visible } from '../telemetry/visible.ts'
import type { Rule, RuleKind } from './rule.ts'
import { timeText } from './time-text.ts'

/** One thing that is wrong by a rule now. */
export interface Found {
  /** Empty: not about a device. */
  readonly deviceId: string
  readonly eventType: string
  readonly value: number | null
  readonly message: string
  /** Silent, but so is everything else that should have sent since: the cause is not this device. */
  readonly isHeld?: boolean
  /** How long a device may take to come back once others do. */
  readonly graceSeconds?: number
}

/** What the ingester knows besides the database. */
export interface ServiceState {
  /** Its alarms, by name. */
  readonly alarms: ReadonlyMap<string, string>
  /** null: on another machine. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null
}

export interface Question {
  readonly rule: Rule
  readonly now: Date
  /** The rule fires for something already. */
  readonly isFiring: boolean
  readonly service: ServiceState
}

/** Alerts say nothing about a device in the archive. */
const IN_USE = 'not is_archived(d.archived_at, d.last_seen)'

/** A device that was not seen for a week is gone rather than silent; an alert that has fired stays. */
const DEVICES = `
from devices d
left join alert_states st on st.rule = $1 and st.device_id = d.device_id and st.event_type = ''
where d.device_id like like_glob($3) and coalesce(d.room, '') like like_glob($4)
  and ${IN_USE} and (d.last_seen > $2::timestamptz - interval '7 days' or st.state = 'firing')`

/** Silence of its own: something else arrived after this device should have. */
const SILENT_DEVICES = `
select d.device_id as "deviceId", '' as "eventType", d.label, d.room,
  extract(epoch from $2::timestamptz - d.last_seen)::float8 as quiet, coalesce(d.silent_after_set, d.silent_after) as after,
  n.devices > 1 and extract(epoch from n.newest - d.last_seen) <= coalesce(d.silent_after_set, d.silent_after) / 3 as "isHeld"
from (select max(last_seen) as newest, count(*) filter (where last_seen > $2::timestamptz - interval '7 days') as devices
  from devices d where ${IN_USE}) n,
  lateral (select d.* ${DEVICES}) d
where is_silent(d.last_seen, coalesce(d.silent_after_set, d.silent_after), $2)`

const SERIES = `
from series s join devices d on d.device_id = s.device_id
left join alert_states st on st.rule = $1 and st.device_id = s.device_id and st.event_type = s.event_type
where d.device_id like like_glob($3) and coalesce(d.room, '') like like_glob($4) and s.event_type like like_glob($5)
  and ${IN_USE}`

const SILENT_SERIES = `
select s.device_id as "deviceId", s.event_type as "eventType", d.label, d.room,
  extract(epoch from $2::timestamptz - s.last_seen)::float8 as quiet, s.silent_after as after
${SERIES}
  and is_silent(s.last_seen, s.silent_after, d.last_seen) and is_silent(s.last_seen, s.silent_after, $2)
  and (s.last_seen > d.last_seen - interval '7 days' or st.state = 'firing')`

/** With the hysteresis where the alert has fired. */
const VALUES = `
select s.device_id as "deviceId", s.event_type as "eventType", d.label, d.room, s.value_num as value, s.unit
${SERIES}
  and s.value_num is not null and ($6::text is null or s.unit = $6)
  and (s.last_seen > $2::timestamptz - interval '7 days' or st.state = 'firing')
  and (s.value_num > $7::float8 - case when st.state = 'firing' then $9::float8 else 0 end
    or s.value_num < $8::float8 + case when st.state = 'firing' then $9::float8 else 0 end)`

const CLOCKS = `
select d.device_id as "deviceId", '' as "eventType", d.label, d.room, d.clock_offset as value, d.clock
${DEVICES}
  and (d.clock in ('implausible', 'unreadable') or d.clock = 'off' and abs(d.clock_offset) > coalesce($5::float8, 60))`

/** Noticed within a day: what is lost stays lost, and an alert has to end. */
const GAPS = `
select d.device_id as "deviceId", '' as "eventType", d.label, d.room, g.missing as value, g.gaps,
  (select s.value_num from series s where s.device_id = d.device_id and s.event_type = 'events_lost') as lost
from device_gaps t join devices d on d.device_id = t.device_id
cross join lateral (
  select sum(x.last_number - x.first_number + 1)::float8 as missing, count(*)::int as gaps from gaps_of(t.device_id) x
  where x.noticed_at > $1::timestamptz - interval '1 day') g
where t.missing > 0 and ${IN_USE} and d.device_id like like_glob($2) and coalesce(d.room, '') like like_glob($3)
  and g.missing > coalesce($4::float8, 0)`

const REJECTED = `
select coalesce(sum(rejected), 0)::float8 as value from ingest_stats
where minute > $1::timestamptz - $2::float8 * interval '1 second'`

const NEWEST = `
select extract(epoch from $1::timestamptz - minute)::float8 - 60 as quiet,
  (select count(*)::int from devices d
    where ${IN_USE} and is_silent(last_seen, coalesce(silent_after_set, silent_after), $1)) as silent
from ingest_stats where stored + duplicate > 0 order by minute desc limit 1`

interface Row {
  readonly deviceId: string
  readonly eventType: string
  readonly label: string | null
  readonly room: string | null
}

/** Everything that is wrong by this rule now. */
export const CONDITIONS: Readonly<
  Record<RuleKind, (ask: Ask, question: Question) => Promise<readonly Found[]>>
> = {
  'device-silent': async (ask, { rule, now }) => {
    const rows = await ask.query<Row & { quiet: number; after: number; isHeld: boolean }>(SILENT_DEVICES, [
      ...[rule.name, now, rule.devices, rule.rooms],
    ])
    return rows.map(({ quiet, after, isHeld, ...row }) => ({
      ...{ ...row, value: quiet, isHeld, graceSeconds: after / 3 },
      message: `${nameOf(row)} is silent: nothing for ${timeText(quiet)}, usually at least every ${timeText(after)}`,
    }))
  },
  'series-silent': async (ask, { rule, now }) => {
    const rows = await ask.query<Row & { quiet: number; after: number }>(SILENT_SERIES, [
      ...[rule.name, now, rule.devices, rule.rooms, rule.types],
    ])
    return rows.map(({ quiet, after, ...row }) => ({
      ...{ ...row, value: quiet },
      message: `${nameOf(row)} sends no ${visible(row.eventType)}: none for ${timeText(quiet)}, usually at least every ${timeText(after)}, while other readings arrive`,
    }))
  },
  value: async (ask, { rule, now }) => {
    const { above, below, back, unit } = rule
    const rows = await ask.query<Row & { value: number; unit: string | null }>(VALUES, [
      ...[rule.name, now, rule.devices, rule.rooms, rule.types, unit, above, below, back],
    ])
    return rows.map(({ value, unit: found, ...row }) => {
      const of = found === null ? '' : ` ${visible(found)}`
      const limit = above !== null && value > above - back ? `above ${above}` : `below ${below}`
      const message = `${nameOf(row)}: ${visible(row.eventType)} is ${shortNumber(value)}${of}, ${limit}${of}`
      return { ...row, value, message }
    })
  },
  clock: async (ask, { rule, now }) => {
    const rows = await ask.query<Row & { value: number | null; clock: string }>(CLOCKS, [
      ...[rule.name, now, rule.devices, rule.rooms, rule.above],
    ])
    return rows.map(({ value, clock, ...row }) => {
      const far = value === null ? clock : `${timeText(Math.abs(value))} ${value > 0 ? 'ahead' : 'behind'}`
      return { ...row, value, message: `The clock of ${nameOf(row)} is wrong: ${far}` }
    })
  },
  gaps: async (ask, { rule: { devices, rooms, above }, now }) => {
    const rows = await ask.query<Row & { value: number; gaps: number; lost: number | null }>(GAPS, [
      ...[now, devices, rooms, above],
    ])
    return rows.map(({ value, gaps, lost, ...row }) => {
      const reported = lost === null ? '' : `; it reports ${counted(lost, 'event')} lost in all`
      const message = `${nameOf(row)}: ${counted(value, 'event')} never came, in ${counted(gaps, 'gap')} within a day${reported}`
      return { ...row, value, message }
    })
  },
  'dead-letters': async (ask, { rule: { above, forSeconds }, now }) => {
    const [row] = await ask.query<{ value: number }>(REJECTED, [now, forSeconds])
    if (row === undefined || row.value <= (above ?? 0)) return []
    const message = `${counted(row.value, 'event')} rejected within ${timeText(forSeconds)}: qs deadletter ls, or Dead letters in the console, shows why`
    return [{ ...NO_DEVICE, value: row.value, message }]
  },
  'nothing-ingested': async (ask, { rule: { forSeconds }, now }) => {
    const [row] = await ask.query<{ quiet: number; silent: number }>(NEWEST, [now])
    if (row === undefined || row.quiet <= forSeconds) return []
    const devices = row.silent > 0 ? `; ${counted(row.silent, 'device')} silent` : ''
    const message = `Nothing has been stored for ${timeText(row.quiet)}${devices}. Check the network and the broker (qs doctor)`
    return [{ ...NO_DEVICE, value: row.quiet, message }]
  },
  disk: async (_ask, { rule: { below, back }, isFiring, service: { alarms, disk } }) => {
    const alarm = alarms.get('disk')
    if (alarm !== undefined) return [{ ...NO_DEVICE, value: null, message: `The disk: ${alarm}` }]
    if (disk === null) return []
    const percent = (100 * disk.freeBytes) / disk.totalBytes
    if (percent >= (below ?? 10) + (isFiring ? back : 0)) return []
    const message = `The disk of the data is almost full: ${percent.toFixed(1)} %, ${(disk.freeBytes / 1e9).toFixed(1)} GB, are free (qs storage)`
    return [{ ...NO_DEVICE, value: percent, message }]
  },
  service: async (_ask, { service: { alarms } }) =>
    [...alarms]
      .filter(([name]) => name !== 'disk')
      .map(([eventType, text]) => ({
        deviceId: '',
        eventType,
        value: null,
        message: `${eventType}: ${visible(text)}`,
      })),
}

const NO_DEVICE = { deviceId: '', eventType: '' }

function nameOf({ deviceId, label, room }: Row): string {
  const name = label === null ? visible(deviceId) : `${visible(label)} (${visible(deviceId)})`
  return room === null ? name : `${name} in ${visible(room)}`
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(6)))
}
