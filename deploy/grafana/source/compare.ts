import {
  type Dashboard,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { deviceLink, duration, second } from './columns.ts'
import { finishDashboard, startDashboard } from './dashboard.ts'
import { COMPARE_UID } from './dashboard-uids.ts'
import { DATA_SOURCE } from './data-source.ts'
import { linesByName, rows } from './panels.ts'
import { ALL, chosen, DEVICE_NAME, isChosen, pairsOf, readable, unitOf, withGaps } from './sql.ts'

/** The series of the chosen type. A chart of more lines is unreadable. */
const SHOWN = `shown as (
  select series.*, ${DEVICE_NAME} as name, devices.room
  from series join devices using (device_id)
  where event_type = ${chosen('type')} and ${isChosen('device_id', 'device')}
  order by series.last_seen desc
  limit 50
)`

const chart = linesByName(
  {
    title: `\${type}`,
    about:
      'The mean of each device, for the 50 devices seen last; choose others above. A device that changed its unit has a line for each. A gap: no event for three times the usual interval.',
    sql: `
with ${SHOWN},
numbers as (
  select at, device_id, name, number.unit, total / number.events as mean,
    dense_rank() over (order by name, device_id) as place
  from ${pairsOf('shown')},
    numbers_by_series(devices, types, $__timeFrom(), $__timeTo(), make_interval(secs => $__interval_ms / 1000.0)) as number
    join shown using (device_id)
),
named as (
  select at, mean, name
    || case when count(*) over (partition by name) > count(*) over (partition by device_id) then ' (' || device_id || ')' else '' end
    || case when min(unit) over () = max(unit) over () then '' else ' ' || unit end as name
  from numbers
),
${withGaps('\n  select at as time, name as "Device", mean as "Value" from named', ['Value'], 'Device')}`,
    width: 24,
    height: 14,
  },
  'Device',
  `with ${SHOWN}\n${unitOf('shown')}`,
)
  .interval('10s')
  .maxDataPoints(300)

const newest = rows({
  title: 'Newest values',
  about: 'The newest event of this type from each device, regardless of the time range.',
  sql: `
with ${SHOWN}
select
  device_id as "Device",
  name as "Name",
  room as "Room",
  ${readable('shown')} as "Value",
  date_part('epoch', now() - last_seen) as "Last event",
  ts as "Time"
from shown
order by name`,
  width: 24,
  height: 10,
})
  .overrideByName('Device', [deviceLink])
  .overrideByName('Last event', [...duration])
  .overrideByName('Time', [...second])

/** All temperatures in one chart. */
export function compare(): Dashboard {
  return finishDashboard(
    startDashboard('Compare devices', COMPARE_UID, 'One event type across all devices')
      .withVariable(
        new QueryVariableBuilder('type')
          .label('sensor')
          .datasource(DATA_SOURCE)
          .query('select distinct event_type from series order by 1')
          .refresh(VariableRefresh.OnDashboardLoad)
          .sort(VariableSort.Disabled),
      )
      .withVariable(
        new QueryVariableBuilder('device')
          .label('devices')
          .datasource(DATA_SOURCE)
          .query(`select device_id from series where event_type = ${chosen('type')} order by 1`)
          .refresh(VariableRefresh.OnDashboardLoad)
          .sort(VariableSort.Disabled)
          .multi(true)
          .includeAll(true)
          .allValue(ALL)
          .current({ text: ['All'], value: ['$__all'] }),
      )
      .withPanel(chart)
      .withPanel(newest),
  )
}
