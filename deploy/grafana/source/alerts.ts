import { QueryBuilder, type Rule, RuleBuilder } from '@grafana/grafana-foundation-sdk/alerting'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { TypeReduceBuilder, TypeThresholdBuilder } from '@grafana/grafana-foundation-sdk/expr'
import { DATA_SOURCE } from './data-source.ts'
import { PACE, SERIES } from './sql.ts'
import { SqlQueryBuilder } from './sql-query.ts'

/*
 * An alert rule is three steps: A asks the database, B takes the last value of each series, C compares it. The
 * queries have no macro and annotations no `$`: Grafana takes a `$` in a provisioning file for the name of an
 * environment variable. So `.Labels` instead of `$labels`.
 */

const EXPRESSION = { type: '__expr__', uid: '__expr__' } as const
const FOLDER = 'qs'

interface AlertSpec {
  readonly uid: string
  readonly title: string
  readonly sql: string
  /** Fires above it. */
  readonly above: number
  /** How long it has to hold. */
  readonly holds: string
  readonly summary: string
  readonly whatToDo: string
}

const SILENT_AFTER_SECONDS = 900

/**
 * A device counts as silent after fifteen minutes or five times its own usual interval, whichever is longer: a
 * sensor that reports once an hour is not silent between two reports. After a week it is gone and says no more.
 */
const SILENT_DEVICE: AlertSpec = {
  uid: 'qs-silent-device',
  title: 'Device is silent',
  sql: `
with ${SERIES},
paces as (
  select series.device_id, min(pace.seconds) as seconds
  from series, ${PACE}
  group by series.device_id
)
select
  now() as time,
  device_id as device,
  greatest(0, date_part('epoch', now() - last_seen) - greatest(${SILENT_AFTER_SECONDS}, 5 * coalesce(seconds, 0)))::float8 as overdue
from devices left join paces using (device_id)
where last_seen > now() - interval '7 days'
order by 1, 2`,
  above: 0,
  holds: '1m',
  summary: 'No event from {{ .Labels.device }} for longer than it is used to',
  whatToDo:
    'Look at its power and Wi-Fi, then at its serial log. qs device ls says when it was last seen. It is fine again with its next event; a device that is gone for good stops to alert after a week.',
}

/** Rising: more in a quarter of an hour than five, and more than three times what a quarter of the last day had. */
const DEAD_LETTERS: AlertSpec = {
  uid: 'qs-dead-letters-rising',
  title: 'Dead letters are rising',
  sql: `
select
  now() as time,
  case when recent > greatest(5, 3 * usual) then recent else 0 end::float8 as "dead letters"
from (
  select
    count(*) filter (where received_at > now() - interval '15 minutes') as recent,
    count(*) filter (where received_at <= now() - interval '15 minutes') / 95.0 as usual
  from dead_letters
  where received_at > now() - interval '1 day' and received_at <= now()
) as counts`,
  above: 0,
  holds: '0s',
  summary: 'More events than usual are refused',
  whatToDo:
    'The dashboard "Data quality" shows code and reason. A new firmware is the usual cause. Nothing is lost: repair with qs deadletter fix, send again with qs deadletter replay.',
}

/** A database that has never seen a message is new, not broken. */
const NOTHING_INGESTED: AlertSpec = {
  uid: 'qs-nothing-ingested',
  title: 'Nothing is ingested',
  sql: `
select now() as time, coalesce(date_part('epoch', now() - max(minute)), 0)::float8 as "idle seconds"
from ingest_stats`,
  above: 900,
  holds: '1m',
  summary: 'No message was taken in for fifteen minutes',
  whatToDo:
    'Is the ingester up (docker compose ps, qs doctor)? Is the broker? If all devices report less than once in fifteen minutes, raise the threshold of this rule.',
}

/** The rules, each tied to the panel that shows what it is about. */
export function alertRules(dashboards: readonly Dashboard[]) {
  const rules = [
    fileRule(rule(SILENT_DEVICE), findPanel(dashboards, 'Devices by last sign of life')),
    fileRule(rule(DEAD_LETTERS), findPanel(dashboards, 'Latest dead letters')),
    fileRule(rule(NOTHING_INGESTED), findPanel(dashboards, 'Messages a minute')),
  ]
  return { apiVersion: 1, groups: [{ orgId: 1, name: 'qs', folder: FOLDER, interval: '1m', rules }] }
}

function rule({ uid, title, sql, above, holds, summary, whatToDo }: AlertSpec): Rule {
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
            .conditions([{ evaluator: { type: 'gt', params: [above] } }]),
        ),
      )
      .forDuration(holds)
      // No rows is no device or no message yet; that the database does not answer is a fault.
      .noDataState('OK')
      .execErrState('Error')
      .labels({ product: 'qs' })
      .annotations({ summary, description: whatToDo })
      .build()
  )
}

/** A rule as the file format has it: folder and group stand above it, the panel beside it. */
function fileRule(built: Rule, panel: { readonly dashboardUid: string; readonly panelId: number }) {
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
  throw new Error(`No dashboard has a panel "${title}" that an alert rule could lead to`)
}
