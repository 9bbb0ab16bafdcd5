import {
  type Dashboard,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import {
  coloured,
  decimals,
  deviceLink,
  duration,
  judged,
  offsetSeconds,
  second,
  unit,
  width,
} from './columns.ts'
import { finishDashboard, startDashboard } from './dashboard.ts'
import { CLOCK_DRIFT_UID } from './dashboard-uids.ts'
import { DATA_SOURCE } from './data-source.ts'
import { linesByName, numbers, rows } from './panels.ts'
import {
  ALL,
  bucket,
  isChosen,
  MOST_DEVICES,
  milliseconds,
  offsetPoints,
  TOLD,
  voices,
  withGaps,
} from './sql.ts'

const DEVICES = 'select device_id from devices order by 1'
const CHOSEN = isChosen('device_id', 'device')

const summary = numbers({
  title: 'Clocks in this time range',
  about:
    'For the busiest sensor of each device. Without time: events without device time; charts use the server time, so a backlog appears when it arrives. Unreadable: ts_device is not a time; the raw text is in ts_device_raw. Implausible: older than DEVICE_CLOCK_MAX_PAST or further ahead than DEVICE_CLOCK_MAX_FUTURE.',
  sql: `
with ${voices(CHOSEN)},
clocks as (
  select
    count(*)::float8 as events,
    count(*) filter (where ts_device is null and ts_device_raw is null) as absent,
    count(*) filter (where ts_device_raw is not null) as unreadable,
    count(*) filter (where ts_device <> ts) as implausible,
    count(*) filter (where ts_device < '1971-01-01') as unset
  from ${TOLD}
  group by device_id
)
select
  count(*) as "Devices",
  sum(absent)::float8 / sum(events) as "Without time",
  sum(unreadable)::float8 / sum(events) as "Unreadable",
  sum(implausible)::float8 / sum(events) as "Implausible",
  count(*) filter (where unset > 0) as "Devices in 1970"
from clocks`,
  width: 24,
})
  .overrideByRegexp('/^(Without time|Unreadable|Implausible)$/', [unit('percentunit'), decimals(1)])
  .overrideByName('Implausible', judged('green', [0.01, 'orange'], [0.1, 'red']))
  .overrideByName('Unreadable', judged('green', [0.001, 'orange']))
  .overrideByName('Devices in 1970', judged('green', [1, 'orange']))

const offset = linesByName(
  {
    title: 'Clock offset over time',
    about:
      'Device clock minus server clock at the freshest event of each point: above zero the clock is ahead, below it is behind. A steady slope is a drifting crystal, a jump is NTP or a boot. A dip that recovers is a backlog, not a fault of the clock. Shows the 50 devices seen last; choose others above.',
    sql: `
with ${voices(CHOSEN, 50)},
${withGaps(
  `
  select points.piece as time, device_id as "Device", points.ahead as "Value"
  from ${offsetPoints(bucket('ts'))}`,
  ['Value'],
  'Device',
)}`,
    width: 24,
    height: 10,
  },
  'Device',
)
  .unit('suffix:s')
  .interval('1m')
  .maxDataPoints(150)
  .axisCenteredZero(true)

/** Points of ten minutes, cut where the offset jumps: a slope across a jump is not drift. */
const drift = rows({
  title: 'Drift',
  about:
    'Slope of the offset over the longest stretch without a jump (NTP, boot, backlog); 11.6 ppm is one second per day. A crystal is within 50 ppm: more means a device without one, or NTP that never succeeds. Trust it if the fit (R²) is near 1. For the 1,000 devices seen last.',
  sql: `
with ${voices(CHOSEN, MOST_DEVICES)},
offsets as (
  select device_id, points.piece as minute, points.ahead as offset_seconds
  from ${offsetPoints(`date_bin('10 minutes', ts, 'epoch'::timestamptz)`)}
),
jumps as (
  select *, case
    when abs(offset_seconds - lag(offset_seconds) over clock) > 2 then 1 else 0
  end as jumped
  from offsets
  window clock as (partition by device_id order by minute)
),
stretches as (
  select *,
    sum(jumped) over (partition by device_id order by minute rows unbounded preceding) as stretch,
    date_part('epoch', minute) as seconds
  from jumps
),
slopes as (
  select
    device_id,
    count(*) as points,
    max(minute) - min(minute) as span,
    regr_slope(offset_seconds, seconds) * 1e6 as ppm,
    regr_r2(offset_seconds, seconds) as fit,
    regr_avgy(offset_seconds, seconds)
      + regr_slope(offset_seconds, seconds) * (max(seconds) - regr_avgx(offset_seconds, seconds)) as offset_seconds
  from stretches
  group by device_id, stretch
  having count(*) >= 3
)
select distinct on (device_id)
  device_id as "Device",
  ppm as "Drift",
  ppm * 0.0864 as "A day",
  offset_seconds as "Offset",
  date_part('epoch', span) as "Over",
  fit as "Fit"
from slopes
order by device_id, points desc`,
  width: 12,
  height: 11,
  empty: 'No device sent plausible times over at least half an hour. Choose a longer time range.',
})
  .overrideByName('Device', [deviceLink])
  .overrideByName('Drift', [
    unit('ppm'),
    decimals(1),
    ...coloured('red', [-200, 'orange'], [-50, 'green'], [50, 'orange'], [200, 'red']),
  ])
  .overrideByRegexp('/^(A day|Offset)$/', [...offsetSeconds])
  .overrideByName('Over', [...duration])
  .overrideByName('Fit', [decimals(2), width(70)])

const suspicious = rows({
  title: 'Suspicious clocks',
  about:
    'Devices that sent impossible times, or whose clock is more than a minute off, by their busiest sensor. Offset: at the event that waited least on the device, so a device that sends an hour of events at once is not late. In 1970: the clock was not set yet; wait for NTP before the first event, or send no ts_device until then.',
  sql: `
with ${voices(CHOSEN)},
clocks as (
  select
    device_id,
    count(*)::float8 as events,
    count(*) filter (where ts_device <> ts)::float8 as implausible,
    count(*) filter (where ts_device < '1971-01-01')::float8 as unset,
    count(*) filter (where ts_device_raw is not null)::float8 as unreadable,
    ${milliseconds('max(ts_device - ts_server) filter (where ts_device = ts)')} as ahead,
    max(ts_server) filter (where ts_device <> ts or ts_device_raw is not null) as last_fault
  from ${TOLD}
  group by 1
)
select
  device_id as "Device",
  events as "Events",
  implausible / events as "Implausible",
  unset as "In 1970",
  unreadable as "Unreadable",
  ahead as "Offset",
  last_fault as "Last fault"
from clocks
where implausible > 0 or unreadable > 0 or abs(ahead) > 60
order by 3 desc, 5 desc, 1
limit 200`,
  width: 12,
  height: 11,
  empty: 'Every clock was plausible and within a minute in this time range.',
})
  .overrideByName('Device', [deviceLink])
  .overrideByName('Implausible', [
    unit('percentunit'),
    decimals(1),
    ...coloured('green', [0.001, 'orange'], [0.1, 'red']),
  ])
  .overrideByName('Offset', [...offsetSeconds])
  .overrideByName('Last fault', [...second])

const implausible = rows({
  title: 'Latest implausible or unreadable times',
  about:
    'The time of the device and of the server. These events are stored and charted at their server time.',
  sql: `
select
  ts_server as "Server time",
  device_id as "Device",
  event_type as "Type",
  ts_device as "Device time",
  ts_device_raw as "Time as sent",
  event_id as "Id"
from newest_arrivals(100, $__timeFrom(), $__timeTo(), only_misdated => true,
  of_devices => array(select device_id from devices where ${CHOSEN}))
order by ts_server desc`,
  width: 24,
  height: 9,
  empty: 'No implausible times in this time range.',
})
  .overrideByName('Device', [deviceLink])
  .overrideByRegexp('/^(Server|Device) time$/', [width(190)])

/** Which clocks can be trusted: offset, slope, and impossible times. */
export function clockDrift(): Dashboard {
  return finishDashboard(
    startDashboard(
      'Clock drift',
      CLOCK_DRIFT_UID,
      'How far the clocks of the devices are off, and how fast they drift',
    )
      .withVariable(
        new QueryVariableBuilder('device')
          .label('devices')
          .datasource(DATA_SOURCE)
          .query(DEVICES)
          .refresh(VariableRefresh.OnDashboardLoad)
          .sort(VariableSort.Disabled)
          .multi(true)
          .includeAll(true)
          .allValue(ALL)
          .current({ text: ['All'], value: ['$__all'] }),
      )
      .withPanel(summary)
      .withPanel(offset)
      .withPanel(drift)
      .withPanel(suspicious)
      .withPanel(implausible),
  )
}
