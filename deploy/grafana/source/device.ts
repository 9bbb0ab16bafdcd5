import {
  AnnotationQueryBuilder,
  type Dashboard,
  IntervalVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { colour, decimals, pills, unit, width } from './columns.ts'
import { finishDashboard, startDashboard } from './dashboard.ts'
import { DEVICE_UID } from './dashboard-uids.ts'
import { DATA_SOURCE } from './data-source.ts'
import { bars, lines, numbers, rows } from './panels.ts'
import { bucket, LATEST, PACE, readable, SERIES_OF_DEVICE } from './sql.ts'
import { SqlQueryBuilder } from './sql-query.ts'

const DEVICES = `
select device_id as __value, coalesce(nullif(label, '') || ' (' || device_id || ')', device_id) as __text
from devices
order by 2`

/** Sensors with a number among their last hundred events: what a chart can draw. */
const TYPES = `
with ${SERIES_OF_DEVICE}
select event_type
from series
where exists (
  select from newest_events(series.device_id, series.event_type, 100) where value_num is not null
)
order by 1`

const status = numbers({
  title: 'Status',
  about:
    'Offset: the device clock minus the server clock at the freshest of its last events; negative means behind. More than a few seconds: look at "Clock drift".',
  sql: `
with ${SERIES_OF_DEVICE}
select
  date_part('epoch', now() - last_seen) as "Silent for",
  (select count(*) from series)::float8 as "Sensors",
  (
    select max(date_part('epoch', series.ts_device - series.ts_server))::float8
    from series
    where series.ts = series.ts_device
  ) as "Clock offset",
  (
    select count(*)::float8 from dead_letters
    where device_id = \${device:sqlstring} and $__timeFilter(received_at)
  ) as "Dead letters"
from devices
where device_id = \${device:sqlstring}`,
  width: 14,
})
  .overrideByName('Silent for', [unit('s'), decimals(0)])
  .overrideByName('Clock offset', [unit('s'), decimals(1)])

const identity = rows({
  title: 'About this device',
  about:
    "Name and time zone are yours to set: update devices set label = 'Kitchen', time_zone = 'Europe/Berlin' where device_id = '…'. The zone is for times that the device sends without offset; empty: DEVICE_TIMEZONE.",
  sql: `
select
  device_id as "Device",
  coalesce(label, '') as "Name",
  coalesce(time_zone, 'as DEVICE_TIMEZONE') as "Time zone",
  first_seen as "First seen",
  last_seen as "Last seen"
from devices
where device_id = \${device:sqlstring}`,
  width: 10,
  height: 4,
}).filterable(false)

const chart = lines({
  title: `\${type}`,
  about:
    'Mean with the band from minimum to maximum, one point an interval (choose it above). A flat line with no band is a single reading a point: choose a longer interval. A gap: nothing came.',
  sql: `
select
  date_bin(\${interval:sqlstring}::interval, ts, 'epoch'::timestamptz) as time,
  min(value_num) as "min",
  avg(value_num) as "mean",
  max(value_num) as "max"
from events
where device_id = \${device:sqlstring} and event_type = \${type:sqlstring}
  and $__timeFilter(ts) and value_num is not null
group by 1
order by 1`,
  width: 24,
  height: 9,
})
  .repeat('type')
  .repeatDirection('h')
  .maxPerRow(2)
  .withTarget(
    new SqlQueryBuilder(
      'table',
      `
select coalesce('suffix: ' || unit, 'short') as unit
from events
where device_id = \${device:sqlstring} and event_type = \${type:sqlstring}
order by ts desc
limit 1`,
      'unit',
    ),
  )
  .withTransformation({
    id: 'configFromData',
    options: { configRefId: 'unit', mappings: [{ fieldName: 'unit', handlerKey: 'unit' }] },
  })
  .overrideByName('mean', [colour('blue'), { id: 'custom.lineWidth', value: 2 }])
  .overrideByName('min', [colour('light-blue'), { id: 'custom.lineWidth', value: 0 }])
  .overrideByName('max', [
    colour('light-blue'),
    { id: 'custom.lineWidth', value: 0 },
    { id: 'custom.fillBelowTo', value: 'min' },
    { id: 'custom.fillOpacity', value: 25 },
  ])

const latest = rows({
  title: 'Sensors now',
  about:
    'The newest event of each sensor and the usual time between two of them (median of the last fifty). "late": three times the usual has passed without a new one.',
  sql: `
with ${SERIES_OF_DEVICE}
select
  series.event_type as "Sensor",
  ${readable('series')} as "Value",
  series.ts as "Time",
  date_part('epoch', now() - series.ts) as "Age",
  pace.seconds as "Usual interval",
  case when date_part('epoch', now() - series.ts) > 3 * pace.seconds then 'late' else 'on time' end as "State"
from series, ${PACE}
order by 1`,
  width: 14,
})
  .overrideByRegexp('/^(Age|Usual interval)$/', [unit('s'), decimals(0)])
  .overrideByName('State', pills({ late: 'orange', 'on time': 'green' }))

const meta = rows({
  title: 'Meta of the newest events',
  about:
    'What the device sent in meta: firmware, room, chip. Fields that the contract does not know stand under _extra.',
  sql: `
with ${SERIES_OF_DEVICE}
select distinct on (field.key) field.key as "Field", field.value as "Value", series.event_type as "From"
from series, ${LATEST},
  jsonb_each_text(case jsonb_typeof(latest.meta) when 'object' then latest.meta else '{}' end) as field
order by field.key, latest.ts desc
limit 100`,
  width: 10,
  empty: 'This device sends no meta.',
})

const arrivals = bars({
  title: 'Events by type',
  about:
    'How many events came, by their own time. A gap and then a tall bar later: the device was offline and sent its backlog.',
  sql: `
with ${SERIES_OF_DEVICE}
select ${bucket('events.ts')} as time, series.event_type as metric, count(*)::float8 as "events"
from series join events
  on events.device_id = series.device_id and events.event_type = series.event_type
where $__timeFilter(events.ts)
group by 1, 2
order by 1`,
  width: 24,
  height: 7,
})

const raw = rows({
  title: 'Events as they are stored',
  about:
    'The newest 200 of the time that is shown. Delay: from the device clock to the server clock; empty where the device sent no time.',
  sql: `
with ${SERIES_OF_DEVICE}
select
  event.ts as "Time",
  event.event_type as "Type",
  ${readable('event')} as "Value",
  date_part('epoch', event.ts_server - event.ts_device) as "Delay",
  event.ts_server as "Server time",
  coalesce(event.ts_device_raw, '') as "Time as sent",
  event.meta::text as "Meta",
  event.event_id as "Id"
from series, newest_events(series.device_id, series.event_type, 200, $__timeFrom(), $__timeTo()) as event
order by 1 desc
limit 200`,
  width: 24,
  height: 10,
})
  .overrideByName('Delay', [unit('s'), decimals(1)])
  .overrideByName('Meta', [{ id: 'custom.inspect', value: true }])
  .overrideByRegexp('/^(Time|Server time)$/', [width(170)])

const saidInWords = new AnnotationQueryBuilder()
  .name('Text events')
  .datasource(DATA_SOURCE)
  .enable(true)
  .iconColor('orange')
  .target(
    new SqlQueryBuilder(
      'table',
      `
with ${SERIES_OF_DEVICE}
select event.ts as time, event.value_text as text, event.event_type as tags
from series, newest_events(
  series.device_id, series.event_type, 100, $__timeFrom(), $__timeTo(), only_texts => true
) as event
order by 1`,
    ),
  )

/** Everything about one device: the page to open when somebody says "the kitchen is broken". */
export function device(): Dashboard {
  return finishDashboard(
    startDashboard(
      'One device',
      DEVICE_UID,
      'Charts, status and raw events of the device that is chosen above',
    )
      .withVariable(
        new QueryVariableBuilder('device')
          .label('device')
          .datasource(DATA_SOURCE)
          .query(DEVICES.trim())
          .refresh(VariableRefresh.OnDashboardLoad)
          .sort(VariableSort.Disabled),
      )
      .withVariable(
        new QueryVariableBuilder('type')
          .label('sensors')
          .datasource(DATA_SOURCE)
          .query(TYPES.trim())
          .refresh(VariableRefresh.OnDashboardLoad)
          .sort(VariableSort.Disabled)
          .multi(true)
          .includeAll(true)
          .current({ text: ['All'], value: ['$__all'] }),
      )
      .withVariable(
        new IntervalVariableBuilder('interval')
          .label('interval')
          .description('Time that one point of a chart stands for')
          .values('10s,1m,5m,15m,1h,6h,1d')
          .auto(true)
          .stepCount(300)
          .minInterval('10s')
          .current({ text: 'auto', value: '$__auto_interval_interval' }),
      )
      .annotation(saidInWords)
      .withPanel(status)
      .withPanel(identity)
      .withPanel(chart)
      .withPanel(latest)
      .withPanel(meta)
      .withPanel(arrivals)
      .withPanel(raw),
  )
}
