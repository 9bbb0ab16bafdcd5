import { ScaleDistribution, ScaleDistributionConfigBuilder } from '@grafana/grafana-foundation-sdk/common'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { colour, coloured, decimals, duration, judged, second, unit } from './columns.ts'
import { finishDashboard, startDashboard } from './dashboard.ts'
import { PIPELINE_HEALTH_UID } from './dashboard-uids.ts'
import { outcomesPerMinute } from './outcomes.ts'
import { bars, lines, numbers, rows } from './panels.ts'
import { bucket, MOST_DEVICES, milliseconds, perMinute, TOLD, voices, withGaps } from './sql.ts'

const identity = numbers({
  title: 'Do the numbers add up?',
  about:
    'received = stored + duplicate + rejected, in every minute and for every writer. Anything but 0 unaccounted events is a bug in the ingester: please report it. Idle for: time since the ingester last received a message.',
  sql: `
select
  coalesce(sum(received), 0)::float8 as "Received",
  coalesce(sum(stored) + sum(duplicate) + sum(rejected), 0)::float8 as "Accounted for",
  coalesce(sum(received) - sum(stored) - sum(duplicate) - sum(rejected), 0)::float8 as "Unaccounted",
  (select date_part('epoch', now() - max(minute)) from ingest_stats) as "Idle for"
from ingest_stats
where $__timeFilter(minute)`,
  width: 12,
})
  .unit('short')
  .overrideByName('Unaccounted', judged('red', [0, 'green'], [1, 'red']))
  .overrideByName('Idle for', [...duration])

const database = numbers({
  title: 'Database',
  about:
    'Growth: events of the last day times the size of an event, including indexes. Compare with the free disk space. Hit rate: reads answered from memory; below 95 % more shared_buffers or memory helps.',
  sql: `
select
  pg_database_size(current_database()) + elsewhere as "Size",
  (
    (select sum(stored) from ingest_stats where minute > now() - interval '1 day') * (data + indexes) / greatest(rows, 1)
  )::float8 as "Growth per day",
  blks_hit::float8 / nullif(blks_hit + blks_read, 0) as "Hit rate",
  deadlocks::float8 as "Deadlocks"
from pg_stat_database, events_size()
where datname = current_database()`,
  width: 12,
})
  .overrideByRegexp('/^(Size|Growth per day)$/', [unit('bytes'), decimals(1)])
  .overrideByName('Hit rate', [unit('percentunit'), decimals(1), ...judged('orange', [0.95, 'green'])])

const messages = lines({
  title: 'Messages a minute',
  about:
    'MQTT messages, and how many events each carries. Arrays cost much less than single events: a busy device should send several at once.',
  sql: `
with ${withGaps(
    `
  select
    ${bucket('minute')} as time,
    ${perMinute('messages')} as "messages per minute",
    (sum(received) / nullif(sum(messages), 0))::float8 as "events per message"
  from ingest_stats
  where $__timeFilter(minute)
  group by 1`,
    ['messages per minute', 'events per message'],
  )}`,
  width: 12,
  height: 9,
})
  .interval('1m')
  .maxDataPoints(300)
  .min(0)
  .unit('short')
  .overrideByName('events per message', [{ id: 'custom.axisPlacement', value: 'right' }, colour('purple')])

const delay = lines({
  title: 'Delay from device to server',
  about:
    'Median and 95 % of device time to server time, on a logarithmic scale, by the busiest sensor of each of the 1,000 devices seen last. A rise for all devices at once: the broker or the ingester was down (a backlog). For one device: its network; see "Data quality".',
  sql: `
with ${voices('true', MOST_DEVICES)},
${withGaps(
  `
  select time, p[1] as "half within", p[2] as "95 % within"
  from (
    select ${bucket('ts')} as time,
      percentile_cont(array[0.5, 0.95]) within group (order by ${milliseconds('ts_server - ts_device')}) as p
    from ${TOLD}
    where ts_device = ts
    group by 1
  ) as delays`,
  ['half within', '95 % within'],
)}`,
  width: 12,
})
  .unit('suffix:s')
  .scaleDistribution(
    new ScaleDistributionConfigBuilder().type(ScaleDistribution.Symlog).log(10).linearThreshold(1),
  )
  .interval('1m')
  .maxDataPoints(150)

const writers = rows({
  title: 'Writers',
  about:
    'What each ingester received. A restart of its container gives it a new name, and the old one stays in the list: that is not a fault. "Idle for" above shows whether anything is received.',
  sql: `
select
  split_part(writer, '/', 1) as "Ingester",
  max(minute) as "Last minute",
  sum(messages)::float8 as "Messages",
  sum(stored)::float8 as "Stored",
  sum(duplicate)::float8 as "Duplicate",
  sum(rejected)::float8 as "Rejected"
from ingest_stats
where $__timeFilter(minute)
group by 1
order by 2 desc, 1
limit 100`,
  width: 12,
})
  .unit('short')
  .overrideByName('Last minute', [...second])

const tables = rows({
  title: 'Tables',
  about:
    "Rows are PostgreSQL's estimate. To vacuum: dead rows against the number at which autovacuum starts. Somewhat above 100 % is normal while it runs; several times that for hours means a long transaction, or that autovacuum is off or too slow.",
  sql: `
select
  s.relname as "Table",
  coalesce(e.rows, greatest(c.reltuples, s.n_live_tup)) as "Rows (about)",
  coalesce(e.data, pg_table_size(c.oid)) as "Data",
  coalesce(e.indexes, pg_indexes_size(c.oid)) as "Indexes",
  s.n_dead_tup::float8 as "Dead rows",
  s.n_dead_tup::float8 / nullif(o.base + o.share * greatest(c.reltuples, 0), 0) as "To vacuum",
  greatest(s.last_vacuum, s.last_autovacuum) as "Vacuumed"
from pg_stat_user_tables s join pg_class c on c.oid = s.relid cross join lateral (
  select
    coalesce(max(option_value) filter (where option_name = 'autovacuum_vacuum_threshold'), current_setting('autovacuum_vacuum_threshold'))::float8 as base,
    coalesce(max(option_value) filter (where option_name = 'autovacuum_vacuum_scale_factor'), current_setting('autovacuum_vacuum_scale_factor'))::float8 as share
  from pg_options_to_table(c.reloptions)
) as o left join events_size() as e on s.relid = 'events'::regclass
where s.schemaname = current_schema()
order by coalesce(e.data + e.indexes, pg_total_relation_size(c.oid)) desc`,
  width: 14,
})
  .overrideByRegexp('/^(Rows \\(about\\)|Dead rows)$/', [unit('short')])
  .overrideByRegexp('/^(Data|Indexes)$/', [unit('bytes')])
  .overrideByName('To vacuum', [unit('percentunit'), decimals(0), ...coloured('green', [5, 'orange'])])
  .overrideByName('Vacuumed', [...second])

const indexes = rows({
  title: 'Indexes',
  about:
    'Size of each index, and how often it was used since the statistics began. An index that you added and that is never used slows every insert: drop it.',
  sql: `
select
  indexrelname as "Index",
  pg_relation_size(indexrelid)::float8 as "Size",
  idx_scan::float8 as "Used"
from pg_stat_user_indexes
where schemaname = current_schema()
order by 2 desc`,
  width: 10,
})
  .overrideByName('Size', [unit('bytes')])
  .overrideByName('Used', [unit('short')])

const connections = rows({
  title: 'Connections',
  about:
    'Connections to this database. Near the limit, new ones are refused: find the user that opens too many, or raise max_connections.',
  sql: `
select
  coalesce(usename, 'server')::text as "User",
  count(*)::float8 as "Connections",
  count(*)::float8 / current_setting('max_connections')::float8 as "Of the limit"
from pg_stat_activity
where datname = current_database()
group by usename
order by 2 desc`,
  width: 12,
}).overrideByName('Of the limit', [
  unit('percentunit'),
  decimals(1),
  ...coloured('green', [0.5, 'orange'], [0.8, 'red']),
])

const daily = bars({
  title: 'Stored events per day',
  about:
    'The last thirty days, regardless of the time range; days are in UTC. The disk must have room for the growth: see "Growth per day".',
  sql: `
select date_bin('1 day', minute, 'epoch'::timestamptz) as time, sum(stored)::float8 as "stored"
from ingest_stats
where $__timeFilter(minute)
group by 1
order by 1`,
  width: 12,
})
  .timeFrom('30d')
  .unit('short')
  .overrideByName('stored', [colour('green')])

/** Whether the pipeline works: rates, the identity of the counts, delay, and the state of the database. */
export function pipelineHealth(): Dashboard {
  return finishDashboard(
    startDashboard(
      'Pipeline health',
      PIPELINE_HEALTH_UID,
      'Ingester and database: rates, the identity of the counts, delay, sizes',
    )
      .withPanel(identity)
      .withPanel(database)
      .withPanel(outcomesPerMinute(12, 9))
      .withPanel(messages)
      .withPanel(delay)
      .withPanel(writers)
      .withPanel(tables)
      .withPanel(indexes)
      .withPanel(connections)
      .withPanel(daily),
  )
}
