import { ReduceDataOptionsBuilder } from '@grafana/grafana-foundation-sdk/common'
import {
  AnnotationQueryBuilder,
  type Dashboard,
  IntervalVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { colour, duration, offsetSeconds, pills, width } from './columns.ts'
import { finishDashboard, startDashboard } from './dashboard.ts'
import { DEVICE_UID } from './dashboard-uids.ts'
import { DATA_SOURCE } from './data-source.ts'
import { DEVICE_STATE, STATE_COLOURS } from './device-state.ts'
import { bars, lines, numbers, rows, states } from './panels.ts'
import {
  bucket,
  chosen,
  eventsOf,
  LATEST,
  milliseconds,
  readable,
  SERIES_OF_DEVICE,
  withGaps,
} from './sql.ts'
import { SqlQueryBuilder } from './sql-query.ts'

const DEVICES = `
select device_id as __value, coalesce(nullif(label, '') || ' (' || device_id || ')', device_id) as __text
from devices
order by 2`

/** Of a row: whether it is a measurement. 1 and 0 without a unit, which may be null, are a boolean: a state. Never null. */
function isMeasured(row: string): string {
  return `(${row}.value_num is not null and (${row}.value_num not in (0, 1) or coalesce(${row}.unit, '') <> ''))`
}

/** Sensors with a measurement among their last hundred events: what a chart can draw. */
const TYPES = `
with ${SERIES_OF_DEVICE}
select event_type
from series
where exists (
  select from newest_events(series.device_id, series.event_type, 100) as event where ${isMeasured('event')}
)
order by 1`

const status = numbers({
  title: 'Status',
  about:
    'Offset: the device clock minus the server clock at the freshest of its last events; negative means behind. More than a few seconds: look at "Clock drift".',
  sql: `
with ${SERIES_OF_DEVICE}
select
  ${DEVICE_STATE} as "State",
  date_part('epoch', now() - last_seen) as "Last event",
  (select count(*) from series)::float8 as "Sensors",
  (
    select ${milliseconds('max(series.ts_device - series.ts_server)')}
    from series
    where series.ts = series.ts_device
  ) as "Clock offset",
  (
    select count(*)::float8 from dead_letters
    where device_id = ${chosen('device')} and $__timeFilter(received_at)
  ) as "Dead letters"
from devices
where device_id = ${chosen('device')}`,
  width: 14,
})

  // Texts as well as numbers.
  .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('/.*/').values(false))
  .overrideByName('Last event', [...duration])
  .overrideByName('State', pills(STATE_COLOURS).slice(0, 1))
  .overrideByName('Clock offset', [...offsetSeconds])

const identity = rows({
  title: 'About this device',
  about:
    'Set name, room and time zone on the page of the device in the console. The zone is for times that the device sends without offset; where none is set, DEVICE_TIMEZONE counts.',
  sql: `
select
  device_id as "Device",
  label as "Name",
  room as "Room",
  coalesce(time_zone, 'as DEVICE_TIMEZONE') as "Time zone",
  first_seen as "First seen",
  last_seen as "Last seen"
from devices
where device_id = ${chosen('device')}`,
  width: 10,
  height: 4,
}).filterable(false)

const chart = lines({
  title: `\${type}`,
  about:
    'Mean with the band from minimum to maximum, one point an interval (choose it above). A sensor that changed its unit has a line for each unit, without the band. A gap: nothing came for three times the usual interval.',
  sql: `
with numbers as (
  select at, unit, events, low, high, total, min(unit) over () = max(unit) over () as is_one_unit
  from event_numbers(${chosen('device')}, ${chosen('type')}, $__timeFrom(), $__timeTo(), \${interval:sqlstring}::interval)
),
${withGaps(
  `
  select at as time, 'mean' || case when is_one_unit then '' else ' ' || unit end as "metric", total / events as "value"
  from numbers
  union all
  select at, edge, case edge when 'min' then low else high end
  from numbers, (values ('min'), ('max')) as edges(edge)
  where is_one_unit`,
  ['value'],
  'metric',
)}`,
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
select case when min(unit) = max(unit) and min(unit) <> '' then 'suffix:' || min(unit) else 'short' end as unit
from event_numbers(${chosen('device')}, ${chosen('type')}, $__timeFrom(), $__timeTo(), interval '100000 days')`,
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

/** Sensors whose last hundred events are a few texts, or 1 and 0; a log has too many. */
const timeline = states(
  {
    title: 'States',
    about:
      'Doors, switches, modes: how long each lasted. A state goes on until the next event, also while the device is silent. A boolean is on or off. A sensor with more than eight different texts, such as a log, is not shown here.',
    sql: `
with ${SERIES_OF_DEVICE}
select event.ts as time, series.event_type as "Sensor",
  coalesce(event.value_text, case event.value_num when 1 then 'on' else 'off' end) as "Value"
from series, newest_events(series.device_id, series.event_type, 2000, $__timeFrom(), $__timeTo()) as event
where not ${isMeasured('event')}
  and (event.value_num is not null or event.value_text is not null)
  and (
    select count(distinct recent.value_text) <= 8 and not bool_or(${isMeasured('recent')})
    from newest_events(series.device_id, series.event_type, 100) as recent
  )
order by 2, 1`,
    width: 24,
    height: 7,
    empty: 'This device sent no states in this time.',
  },
  'Sensor',
)

const latest = rows({
  title: 'Sensors now',
  about:
    'The newest event of each sensor. Silent: nothing for three times its usual interval. A sensor without a regular interval has no rhythm, and is never silent.',
  sql: `
with ${SERIES_OF_DEVICE}
select
  series.event_type as "Sensor",
  ${readable('series')} as "Value",
  series.ts as "Time",
  date_part('epoch', now() - series.last_seen) as "Last event",
  series.silent_after / 3 as "Usual interval",
  case
    when series.silent_after is null then 'no rhythm'
    when not is_silent(series.last_seen, series.silent_after) then 'online'
    when series.last_seen < now() - interval '7 days' then 'gone'
    else 'silent'
  end as "State"
from series
order by 1
limit 1000`,
  width: 14,
})
  .overrideByRegexp('/^(Last event|Usual interval)$/', [...duration])
  .overrideByName('State', pills(STATE_COLOURS))

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
from series, ${eventsOf('series')} as events
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
  ${milliseconds('event.ts_server - event.ts_device')} as "Delay",
  event.ts_server as "Server time",
  event.ts_device_raw as "Time as sent",
  event.meta::text as "Meta",
  event.event_id as "Id"
from series, newest_events(series.device_id, series.event_type, 200, $__timeFrom(), $__timeTo()) as event
order by 1 desc
limit 200`,
  width: 24,
  height: 10,
})
  .overrideByName('Delay', [...offsetSeconds])
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
      .withPanel(timeline)
      .withPanel(latest)
      .withPanel(meta)
      .withPanel(arrivals)
      .withPanel(raw),
  )
}
