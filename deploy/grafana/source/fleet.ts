import { type Dashboard, PanelBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import {
  colour,
  coloured,
  decimals,
  deviceLink,
  duration,
  gauge,
  judged,
  pills,
  second,
  unit,
  width,
} from './columns.ts'
import { finishDashboard, startDashboard } from './dashboard.ts'
import { FLEET_UID } from './dashboard-uids.ts'
import { DEVICE_STATE, IN_USE, STATE_COLOURS } from './device-state.ts'
import { deadLettersByCode, outcomesPerMinute } from './outcomes.ts'
import { note, numbers, rows } from './panels.ts'
import { readable, timesOf } from './sql.ts'

const devices = numbers({
  title: 'Devices',
  about:
    'Silent: no event for three times its usual interval, or for the time set on its page in the console; check its power and Wi-Fi first. Silent sensors: on devices that are online. Quiet: no event for 15 minutes and no usual interval. Never: created with qs device add, but no event yet; check its user, password and broker address. Gone: silent for a week. New: first seen in this time range.',
  sql: `
select
  count(*) filter (where state = 'online') as "Online",
  count(*) filter (where state = 'silent') as "Silent",
  coalesce(sum(silent_series) filter (where state = 'online'), 0)::float8 as "Silent sensors",
  count(*) filter (where state = 'quiet') as "Quiet",
  count(*) filter (where state = 'never') as "Never",
  count(*) filter (where state = 'gone') as "Gone",
  count(*) filter (where $__timeFilter(first_seen)) as "New"
from (
  select first_seen, silent_series, ${DEVICE_STATE} as state
  from devices where ${IN_USE}
) as states`,
  width: 14,
})
  .overrideByName('Online', judged('text', [1, 'green']))
  .overrideByRegexp('/^(Silent|Silent sensors)$/', judged('green', [1, 'red']))
  .overrideByName('Never', judged('text', [1, 'yellow']))
  .overrideByName('New', judged('text', [1, 'blue']))

const events = numbers({
  title: 'Events in this time range',
  about:
    'Duplicates are normal after a network fault: a device resends events without a device ack. Rejected events are dead letters: their reason is in "Data quality", and qs deadletter ls lists them.',
  sql: `
select
  coalesce(sum(stored), 0)::float8 as "Stored",
  coalesce(sum(duplicate), 0)::float8 as "Duplicate",
  coalesce(sum(rejected), 0)::float8 as "Rejected",
  coalesce(sum(stored) * 60.0 / nullif(date_part('epoch', least(now(), $__timeTo()::timestamptz) - min(minute)), 0), 0)::float8 as "Stored a minute"
from ingest_stats
where $__timeFilter(minute)`,
  width: 10,
})
  .unit('short')
  .overrideByName('Rejected', judged('green', [1, 'orange']))
  .overrideByName('Stored a minute', [decimals(1)])

/** The SDK has no builder for this panel; these are the options that its editor saves. */
const alerts = new PanelBuilder()
  .type('alertlist')
  .title('Firing alerts')
  .description(
    'The firing alerts of the folder qs. Each says what to do; docs/grafana.md explains how they reach your phone.',
  )
  .span(12)
  .height(7)
  .options({
    alertInstanceLabelFilter: '{product="qs"}',
    alertName: '',
    dashboardAlerts: false,
    groupBy: [],
    groupMode: 'default',
    maxItems: 20,
    sortOrder: 3,
    stateFilter: {
      error: true,
      firing: true,
      noData: false,
      normal: false,
      pending: false,
      recovering: true,
    },
    viewMode: 'list',
  })

const silentSensors = rows({
  title: 'Silent sensors',
  about:
    'Sensors that stopped while their device kept sending: a broken wire, a failed bus, or a firmware that renamed the type. After a week they are no longer listed.',
  sql: `
select
  device_id as "Device",
  event_type as "Sensor",
  quiet_seconds as "Last event",
  silent_after / 3 as "Usual interval"
from silence
where event_type is not null and is_silent and last_seen > now() - interval '7 days'
order by 3 desc
limit 200`,
  width: 12,
  height: 7,
  empty: 'No sensor is silent on a device that is online.',
})
  .overrideByName('Device', [deviceLink])
  .overrideByRegexp('/^(Last event|Usual interval)$/', [...duration])

const latestValues = rows({
  title: 'Latest values',
  about:
    'The newest event of each sensor of the 200 devices seen last, regardless of the time range. A value older than an hour shows its age. Click a device to see its charts.',
  sql: `
select
  series.device_id as "Device",
  series.event_type as "Sensor",
  ${readable('series')} || case
    when series.ts < now() - interval '2 days' then ' · ' || date_part('day', now() - series.ts) || ' d ago'
    when series.ts < now() - interval '1 hour' then ' · ' || floor(date_part('epoch', now() - series.ts) / 3600) || ' h ago'
    else ''
  end as "Value"
from series
where device_id in (select device_id from devices where ${IN_USE} order by last_seen desc nulls last limit 200)
order by 1, 2`,
  width: 24,
  height: 11,
})
  .withTransformation({
    id: 'groupingToMatrix',
    options: { rowField: 'Device', columnField: 'Sensor', valueField: 'Value', emptyValue: 'null' },
  })
  // The name that the transformation gives the first column. A pattern would also match a sensor `device_temp`.
  .overrideByName('Device\\Sensor', [{ id: 'displayName', value: 'Device' }, deviceLink, width(180)])

const deviceTable = rows({
  title: 'Devices by last event',
  about:
    'Silent devices come first, then those never seen. Give a device a name and a room on its page in the console.',
  sql: `
with shown as (
  select *, array_position(array['silent', 'never', 'online', 'quiet', 'gone'], state) as place
  from (select *, ${DEVICE_STATE} as state from devices where ${IN_USE}) as states
  order by place, last_seen
  limit 1000
)
select
  device_id as "Device",
  label as "Name",
  room as "Room",
  state as "State",
  date_part('epoch', now() - last_seen) as "Last event",
  last_seen as "Last seen",
  first_seen as "First seen",
  (select count(*) from series where series.device_id = shown.device_id) as "Sensors",
  silent_series as "Silent sensors"
from shown
order by place, last_seen`,
  width: 14,
  height: 10,
})
  .overrideByName('Device', [deviceLink])
  .overrideByName('State', pills(STATE_COLOURS))
  .overrideByName('Last event', [...duration])
  .overrideByRegexp('/^(First|Last) seen$/', [...second])
  .overrideByName('Sensors', [width(90)])
  .overrideByName('Silent sensors', coloured('text', [1, 'red']))

const topDevices = rows({
  title: 'Top devices by rate',
  about:
    'Which devices fill the database. A device far above the others may send in a loop: check its firmware, or send less often and in arrays. Counts the 200 devices with the highest recent rate.',
  sql: `
with busy as (
  select device_id, event_type from series
  where device_id in (
    select device_id from series group by 1 order by sum(1 / nullif(every_seconds, 0)) desc nulls last limit 200
  )
)
select
  device_id as "Device",
  count(*)::float8 as "Events",
  count(*)::float8 * 60
    / date_part('epoch', least(now(), $__timeTo()::timestamptz) - $__timeFrom()::timestamptz) as "A minute"
from ${timesOf('busy')}
group by 1
order by 2 desc
limit 10`,
  width: 10,
  height: 10,
})
  .overrideByName('Device', [deviceLink])
  .overrideByName('Events', [unit('short'), gauge, colour('blue'), { id: 'min', value: 0 }])
  .overrideByName('A minute', [decimals(2), width(100)])

const textEvents = rows({
  title: 'Text events',
  about:
    'Text values: boots, doors, log lines. A device that keeps rebooting has a weak power supply or crashes; "brownout" means the supply.',
  sql: `
select ts as "Time", device_id as "Device", event_type as "Type", value_text as "Text"
from newest_arrivals(100, $__timeFrom(), $__timeTo(), only_texts => true)
order by ts_server desc`,
  width: 12,
  height: 9,
})
  .overrideByName('Device', [deviceLink])
  .overrideByName('Time', [...second])
  .overrideByName('Text', coloured('text'))

/** The first look in the morning: which devices are online, what they send, and what was refused. */
export function fleet(): Dashboard {
  return finishDashboard(
    startDashboard(
      'Fleet overview',
      FLEET_UID,
      'All devices: which are online, what they send, and what was refused',
    )
      .withPanel(
        note(
          'Times are shown in the time zone of your browser (change it in the time picker). The database keeps UTC.',
        ),
      )
      .withPanel(devices)
      .withPanel(events)
      .withPanel(alerts)
      .withPanel(silentSensors)
      .withPanel(latestValues)
      .withPanel(deviceTable)
      .withPanel(topDevices)
      .withPanel(outcomesPerMinute(12, 9))
      .withPanel(textEvents)
      .withPanel(deadLettersByCode(24)),
  )
}
