import { CustomVariableBuilder, type Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { coloured, decimals, deviceLink, gauge, judged, pills, unit, width } from './columns.ts'
import { finishDashboard, startDashboard } from './dashboard.ts'
import { FLEET_UID } from './dashboard-uids.ts'
import { deadLettersByCode, outcomesPerMinute } from './outcomes.ts'
import { note, numbers, rows } from './panels.ts'
import { eventsOf, readable, SERIES } from './sql.ts'

const STATE_COLOURS = { online: 'green', silent: 'red', 'never heard': 'text' }

const devices = numbers({
  title: 'Devices',
  about:
    'Silent: nothing for longer than "silent after" above. Look at its power and Wi-Fi first. Never heard: made with qs device add, and no event yet: check its user, password and broker address. New: first heard in the time that is shown.',
  sql: `
select
  count(*) filter (where last_seen >= now() - \${silent:sqlstring}::interval) as "Online",
  count(*) filter (where last_seen < now() - \${silent:sqlstring}::interval) as "Silent",
  count(*) filter (where last_seen is null) as "Never heard",
  count(*) filter (where $__timeFilter(first_seen)) as "New"
from devices`,
  width: 12,
})
  .overrideByName('Online', judged('text', [1, 'green']))
  .overrideByName('Silent', judged('green', [1, 'red']))
  .overrideByName('Never heard', judged('text', [1, 'yellow']))
  .overrideByName('New', judged('text', [1, 'blue']))

const events = numbers({
  title: 'Events in this time',
  about:
    'Duplicates are normal after a network fault: a device sends again what had no device ack. Rejected events are dead letters: their reason is in "Data quality", and qs deadletter ls lists them.',
  sql: `
select
  coalesce(sum(stored), 0)::float8 as "Stored",
  coalesce(sum(duplicate), 0)::float8 as "Duplicate",
  coalesce(sum(rejected), 0)::float8 as "Rejected",
  coalesce(sum(stored) * 60.0 / nullif(date_part('epoch', least(now(), $__timeTo()::timestamptz) - min(minute)), 0), 0)::float8 as "Stored a minute"
from ingest_stats
where $__timeFilter(minute)`,
  width: 12,
})
  .unit('short')
  .overrideByName('Rejected', judged('green', [1, 'orange']))
  .overrideByName('Stored a minute', [decimals(1)])

const latestValues = rows({
  title: 'Latest values',
  about:
    'The newest event of each sensor, whatever time is shown above. A value older than an hour says how old it is. Click a device to see its charts.',
  sql: `
select
  series.device_id as device,
  series.event_type as sensor,
  ${readable('series')} || case
    when series.ts < now() - interval '2 days' then ' · ' || date_part('day', now() - series.ts) || ' d ago'
    when series.ts < now() - interval '1 hour' then ' · ' || floor(date_part('epoch', now() - series.ts) / 3600) || ' h ago'
    else ''
  end as value
from series
order by 1, 2`,
  width: 24,
  height: 11,
})
  .withTransformation({
    id: 'groupingToMatrix',
    options: { rowField: 'device', columnField: 'sensor', valueField: 'value', emptyValue: 'empty' },
  })
  .overrideByRegexp('/^device/', [{ id: 'displayName', value: 'Device' }, deviceLink, width(180)])

const deviceTable = rows({
  title: 'Devices by last sign of life',
  about:
    "The longest silent come first. Give a device a name with: update devices set label = 'Kitchen' where device_id = '…'.",
  sql: `
with ${SERIES},
sensors as (select device_id, count(*) as count from series group by device_id)
select
  device_id as "Device",
  coalesce(label, '') as "Name",
  case
    when last_seen is null then 'never heard'
    when last_seen < now() - \${silent:sqlstring}::interval then 'silent'
    else 'online'
  end as "State",
  date_part('epoch', now() - last_seen) as "Silent for",
  last_seen as "Last seen",
  first_seen as "First seen",
  coalesce(sensors.count, 0) as "Sensors"
from devices left join sensors using (device_id)
order by last_seen nulls first
limit 1000`,
  width: 14,
  height: 10,
})
  .overrideByName('Device', [deviceLink])
  .overrideByName('State', pills(STATE_COLOURS))
  .overrideByName('Silent for', [unit('s'), decimals(0)])
  .overrideByName('Sensors', [width(90)])

const topDevices = rows({
  title: 'Top devices by rate',
  about:
    'Who fills the database. A device far above the others may send in a loop: look at its firmware, or send less often and in arrays.',
  sql: `
with ${SERIES}
select
  series.device_id as "Device",
  sum(counted.events)::float8 as "Events",
  sum(counted.events)::float8 * 60
    / date_part('epoch', least(now(), $__timeTo()::timestamptz) - $__timeFrom()::timestamptz) as "A minute"
from series, lateral (
  select count(*) as events from ${eventsOf('series')}
) as counted
group by 1
order by 2 desc
limit 10`,
  width: 10,
  height: 10,
})
  .overrideByName('Device', [deviceLink])
  .overrideByName('Events', [unit('short'), gauge, { id: 'min', value: 0 }])
  .overrideByName('A minute', [decimals(2), width(100)])

const textEvents = rows({
  title: 'What devices said in words',
  about:
    'Text values: boots, doors, log lines. A device that boots again and again has a weak power supply or crashes; "brownout" is the supply.',
  sql: `
select ts as "Time", device_id as "Device", event_type as "Type", value_text as "Text"
from events
where $__timeFilter(ts_server) and value_text is not null
order by ts_server desc
limit 100`,
  width: 12,
  height: 9,
})
  .overrideByName('Device', [deviceLink])
  .overrideByName('Time', [width(170)])
  .overrideByName('Text', coloured('text'))

/** The first look in the morning: who is there, what do they say, is anything lost. */
export function fleet(): Dashboard {
  return finishDashboard(
    startDashboard(
      'Fleet overview',
      FLEET_UID,
      'All devices: who is there, what they say, and what was refused',
    )
      .withVariable(
        new CustomVariableBuilder('silent')
          .label('silent after')
          .description('A device that was not heard for that long counts as silent')
          .values('5 minutes,15 minutes,1 hour,6 hours,1 day,7 days')
          .current({ text: '15 minutes', value: '15 minutes' }),
      )
      .withPanel(
        note(
          'Times are shown in the time zone of your browser (change it in the time picker). The database keeps UTC.',
        ),
      )
      .withPanel(devices)
      .withPanel(events)
      .withPanel(latestValues)
      .withPanel(deviceTable)
      .withPanel(topDevices)
      .withPanel(outcomesPerMinute(12, 9))
      .withPanel(textEvents)
      .withPanel(deadLettersByCode(24)),
  )
}
