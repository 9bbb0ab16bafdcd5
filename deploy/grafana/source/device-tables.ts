import { ReduceDataOptionsBuilder } from '@grafana/grafana-foundation-sdk/common'
import { duration, offsetSeconds, pills, second, width } from './columns.ts'
import { DEVICE_STATE, STATE_COLOURS } from './device-state.ts'
import { numbers, rows } from './panels.ts'
import { chosen, LATEST, milliseconds, readable, SERIES_OF_DEVICE } from './sql.ts'

/* Numbers and tables of the dashboard of one device. */

export const status = numbers({
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

export const identity = rows({
  title: 'About this device',
  about:
    'Set name, room and time zone on the page of the device in the console. The zone applies to times that the device sends without an offset; if none is set, DEVICE_TIMEZONE applies.',
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
})
  .filterable(false)
  .overrideByRegexp('/^(First|Last) seen$/', [...second])

export const latest = rows({
  title: 'Sensors now',
  about:
    'The newest event of each sensor. Silent: no event for three times its usual interval. A sensor without a regular interval has no rhythm, and is never silent.',
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
  .overrideByName('Time', [...second])
  .overrideByName('State', pills(STATE_COLOURS))

export const meta = rows({
  title: 'Meta of the newest events',
  about:
    'What the device sent in meta: firmware, room, chip. Fields that the contract does not define are under _extra.',
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

export const raw = rows({
  title: 'Stored events',
  about:
    'The newest 200 in this time range. Delay: from the device clock to the server clock; empty if the device sent no time.',
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
  .overrideByRegexp('/^(Time|Server time)$/', [width(190)])
