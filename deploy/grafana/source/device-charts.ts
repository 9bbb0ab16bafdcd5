import { colour } from './columns.ts'
import { isMeasured } from './measured.ts'
import { bars, lines, states, withUnit } from './panels.ts'
import { bucket, chosen, EVENTS, SERIES_OF_DEVICE, unitOf, withGaps } from './sql.ts'

/* Charts over time of the dashboard of one device. */

const drawn = lines({
  title: `\${type}`,
  about:
    'Mean with the band from minimum to maximum, one point per interval (choose it above). A sensor that changed its unit has a line for each unit, without the band. A gap: no event for three times the usual interval.',
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
}).fillOpacity(0)

export const chart = withUnit(
  drawn,
  unitOf(
    `event_numbers(${chosen('device')}, ${chosen('type')}, $__timeFrom(), $__timeTo(), interval '100000 days')`,
  ),
)
  .repeat('type')
  .repeatDirection('h')
  .maxPerRow(2)
  .overrideByName('mean', [colour('blue'), { id: 'custom.lineWidth', value: 2 }])
  .overrideByName('min', [colour('light-blue'), { id: 'custom.lineWidth', value: 0 }])
  .overrideByName('max', [
    colour('light-blue'),
    { id: 'custom.lineWidth', value: 0 },
    { id: 'custom.fillBelowTo', value: 'min' },
    { id: 'custom.fillOpacity', value: 25 },
  ])

/** Sensors whose last hundred events are a few texts, or 1 and 0; a log has too many. */
export const timeline = states(
  {
    title: 'States',
    about:
      'Doors, switches, modes: how long each state lasted. A state lasts until the next event, even while the device is silent. A boolean is on or off. A sensor with more than eight different texts, such as a log, is not shown here.',
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
    empty: 'This device sent no states in this time range.',
  },
  'Sensor',
)

export const arrivals = bars({
  title: 'Events by type',
  about:
    'Number of events, by event time. A backlog fills the gap of an outage once it arrives; without a device time or an age, it is a tall bar at the time of its arrival.',
  sql: `
with ${SERIES_OF_DEVICE}
select ${bucket('events.ts')} as time, series.event_type as metric, count(*)::float8 as "events"
from series, ${EVENTS} as events
group by 1, 2
order by 1`,
  width: 24,
  height: 7,
})
