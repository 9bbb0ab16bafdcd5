import { QueryBuilder, type Rule, RuleBuilder } from '@grafana/grafana-foundation-sdk/alerting'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { TypeReduceBuilder, TypeThresholdBuilder } from '@grafana/grafana-foundation-sdk/expr'
import { DATA_SOURCE } from './data-source.ts'
import { SqlQueryBuilder } from './sql-query.ts'

/*
 * An alert rule has three steps: A queries the database, B takes the last value of each series, C fires above zero.
 * Queries have no macros and annotations no `$`, since Grafana takes a `$` in a provisioning file for the name of an
 * environment variable: hence `.Labels` instead of `$labels`, and thresholds as environment variables in the SQL.
 * Every query returns only what fires: an instance that is absent is resolved.
 */

const EXPRESSION = { type: '__expr__', uid: '__expr__' } as const
const FOLDER = 'qs'

interface AlertSpec {
  readonly uid: string
  readonly title: string
  readonly sql: string
  /** How long the condition must hold. */
  readonly holds: string
  readonly summary: string
  readonly whatToDo: string
  /** By default the state is kept, so that a restart of the database does not fire every rule. */
  readonly onError?: 'Alerting'
}

/**
 * Judged at the newest arrival of any device: while ingest is stopped no device is late, and "Nothing is ingested" is
 * the only alert. Afterwards is_silent() leaves the stop out; docs/decisions/0023-silence.md.
 */
const SILENT_DEVICE: AlertSpec = {
  uid: 'qs-silent-device',
  title: 'Device is silent',
  sql: `
select
  now() as time,
  device_id as device,
  1::float8 as silent
from silence
where event_type is null and last_seen > now() - ${days('ALERT_GONE_DAYS', 7)}
  and is_silent(last_seen, silent_after, (select max(last_seen) from devices))
order by 2`,
  holds: '1m',
  summary: 'No event from {{ .Labels.device }} for longer than usual',
  whatToDo:
    'Check its power and Wi-Fi, then its serial log. qs device ls shows when it was last seen. The alert is resolved by its next event. A device that is gone for good stops alerting after a week.',
}

/**
 * Without the time in which the device was offline, which its most frequent series shows: an interval between two
 * arrivals that is a silence. Its newest 2,000 events are enough (five hours at ten seconds), and are read only for
 * series that are late.
 */
const SILENT_SENSOR: AlertSpec = {
  uid: 'qs-silent-sensor',
  title: 'Sensor is silent',
  sql: `
with late as materialized (
  select device_id, event_type, last_seen, silent_after
  from silence
  where event_type is not null and is_silent and last_seen > now() - ${days('ALERT_GONE_DAYS', 7)}
)
select
  now() as time,
  late.device_id as device,
  late.event_type as sensor,
  1::float8 as silent
from late
join devices on devices.device_id = late.device_id
left join lateral (
  select event_type, silent_after from series
  where series.device_id = late.device_id
    and silent_after is not null and not is_silent(series.last_seen, silent_after, devices.last_seen)
  order by silent_after limit 1
) as steady on true
left join lateral (
  select sum(distance) as seconds
  from (
    select date_part('epoch', ts_server - lag(ts_server) over (order by ts_server)) as distance
    from newest_events(late.device_id, steady.event_type, 2000, late.last_seen - make_interval(secs => steady.silent_after))
  ) as distances
  where distance > steady.silent_after
) as away on true
where is_silent(late.last_seen, late.silent_after, devices.last_seen - make_interval(secs => coalesce(away.seconds, 0)))
order by 2, 3`,
  holds: '1m',
  summary: 'No {{ .Labels.sensor }} from {{ .Labels.device }}, which sends other events',
  whatToDo:
    'The board is online but this sensor is not: check its wiring and bus, and the serial log. A firmware that renamed the type looks the same, and stops alerting after a week.',
}

/**
 * For each code: more in a quarter of an hour than the threshold, and more than three times the median of the quarter
 * hours of the last day or one in a hundred of all events received. A mean would let a burst at night mute the
 * morning, and the median alone goes silent after twelve hours of a steady flood.
 */
const DEAD_LETTERS: AlertSpec = {
  uid: 'qs-dead-letters-rising',
  title: 'Dead letters are rising',
  sql: `
with letters as (
  select code, received_at as at, 1 as count from dead_letters
  where received_at > now() - interval '1 day' and received_at <= now()
  union all
  select code, minute, letters from dead_letters_counted
  where minute > now() - interval '1 day' and minute <= now()
),
quarters as (
  select code, floor(date_part('epoch', now() - at) / 900) as quarter, sum(count) as count
  from letters group by 1, 2
),
-- The median of 95 quarter hours, most of which may have none.
counts as (
  select code,
    sum(count) filter (where quarter = 0) as recent,
    coalesce((array_agg(count order by count desc) filter (where quarter > 0))[48], 0) as usual
  from quarters group by code
)
select now() as time, code, recent::float8 as "dead letters"
from counts
where recent > ${number('ALERT_DEAD_LETTERS', 5)}
  and recent > least(3 * usual, (
    select coalesce(sum(received), 0) / 100 from ingest_stats where minute > now() - interval '15 minutes'
  ))
order by 2`,
  holds: '0s',
  summary: 'More events than usual are refused: {{ .Labels.code }}',
  whatToDo:
    'The dashboard "Data quality" shows code and reason. A new firmware is the usual cause. Nothing is lost: repair with qs deadletter fix, send again with qs deadletter replay.',
}

/**
 * Messages without an accepted event do not count: one broken board must not hide that all others are down.
 *
 * A fleet of hourly boards is not late after fifteen minutes: the device that reports most often sets the limit. If no
 * device has a rhythm, as after a first try, the rule stays quiet. It is the only one that fires when the database does
 * not answer.
 */
const NOTHING_INGESTED: AlertSpec = {
  uid: 'qs-nothing-ingested',
  title: 'Nothing is ingested',
  sql: `
with newest as (select max(last_seen) as at from devices),
expected as (
  select min(silence.silent_after) as seconds
  from silence, newest
  where silence.event_type is null and not is_silent(silence.last_seen, silence.silent_after, newest.at)
)
select now() as time,
  (case when idle > greatest(${number('ALERT_IDLE_MINUTES', 15)} * 60, seconds) and seconds < 'infinity' then idle else 0 end)::float8 as "idle seconds"
from expected, (
  select coalesce(date_part('epoch', now() - max(minute) filter (where stored + duplicate > 0)), 0) as idle from ingest_stats
) as stats`,
  holds: '5m',
  summary: 'No event is accepted, or the database does not answer',
  whatToDo:
    'Is the ingester up (docker compose ps, qs doctor)? The broker? PostgreSQL? Devices that keep events until their device ack send them when it is back.',
  onError: 'Alerting',
}

/** A setting of the composed stack. Grafana inserts it as text, which is empty if it is not set. */
function number(setting: string, otherwise: number): string {
  return `coalesce(nullif('\${${setting}}', '')::float8, ${otherwise})`
}

function days(setting: string, otherwise: number): string {
  return `make_interval(secs => 86400 * ${number(setting, otherwise)})`
}

/** A value beyond a limit for five minutes. A silent device has no new value, and an old one does not fire. */
const THRESHOLD: AlertSpec = {
  uid: 'freezer-warm',
  title: 'Freezer is warm',
  sql: `
select now() as time, device_id as device, 1::float8 as beyond
from series
where device_id = 'freezer' and event_type = 'temp'
  and value_num > -15
  and last_seen > now() - interval '1 hour'
order by 2`,
  holds: '5m',
  summary: '{{ .Labels.device }} is warmer than −15 °C',
  whatToDo: 'Close its door.',
}

/** A rule to copy; docs/grafana.md. */
export function thresholdTemplate() {
  const group = { orgId: 1, name: 'thresholds', folder: FOLDER, interval: '1m' }
  return { apiVersion: 1, groups: [{ ...group, rules: [fileRule(rule(THRESHOLD))] }] }
}

/** The rules, each linked to the panel that shows its subject. */
export function alertRules(dashboards: readonly Dashboard[]) {
  const rules = [
    fileRule(rule(SILENT_DEVICE), findPanel(dashboards, 'Devices by last event')),
    fileRule(rule(SILENT_SENSOR), findPanel(dashboards, 'Silent sensors')),
    fileRule(rule(DEAD_LETTERS), findPanel(dashboards, 'Latest dead letters')),
    fileRule(rule(NOTHING_INGESTED), findPanel(dashboards, 'Messages a minute')),
  ]
  return { apiVersion: 1, groups: [{ orgId: 1, name: 'qs', folder: FOLDER, interval: '1m', rules }] }
}

function rule({ uid, title, sql, holds, summary, whatToDo, onError }: AlertSpec): Rule {
  return (
    new RuleBuilder(title)
      .uid(uid)
      .condition('C')
      .withQuery(
        new QueryBuilder('A')
          .datasourceUid(DATA_SOURCE.uid)
          .relativeTimeRange({ from: 86_400, to: 0 })
          .model(new SqlQueryBuilder('time_series', sql)),
      )
      .withQuery(
        new QueryBuilder('B')
          .datasourceUid(EXPRESSION.uid)
          .model(new TypeReduceBuilder().refId('B').datasource(EXPRESSION).expression('A').reducer('last')),
      )
      .withQuery(
        new QueryBuilder('C').datasourceUid(EXPRESSION.uid).model(
          new TypeThresholdBuilder()
            .refId('C')
            .datasource(EXPRESSION)
            .expression('B')
            .conditions([{ evaluator: { type: 'gt', params: [0] } }]),
        ),
      )
      .forDuration(holds)
      // No rows: nothing is wrong.
      .noDataState('OK')
      .execErrState(onError ?? 'KeepLast')
      .labels({ product: 'qs' })
      .annotations({ summary, description: whatToDo })
      .build()
  )
}

/** A rule in the file format: folder and group are above it, the panel is beside it. */
function fileRule(built: Rule, panel?: { readonly dashboardUid: string; readonly panelId: number }) {
  const { uid, title, condition, data, noDataState, execErrState, annotations, labels } = built
  const queries = data.map(({ refId, datasourceUid, relativeTimeRange, model }) => ({
    refId,
    datasourceUid,
    relativeTimeRange: relativeTimeRange ?? { from: 0, to: 0 },
    model,
  }))
  const common = { uid, title, condition, data: queries, noDataState, execErrState, for: built.for }
  return { ...common, ...panel, annotations, labels, isPaused: false }
}

function findPanel(dashboards: readonly Dashboard[], title: string) {
  for (const { uid, panels } of dashboards) {
    const panel = panels?.find((each) => each.title === title)
    if (uid !== undefined && panel?.id !== undefined) return { dashboardUid: uid, panelId: panel.id }
  }
  throw new Error(`No dashboard has a panel "${title}" that an alert rule could link to`)
}
