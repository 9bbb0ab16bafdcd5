import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { coloured, decimals, deviceLink, duration, unit } from './columns.ts'
import { finishDashboard, startDashboard } from './dashboard.ts'
import { BOARDS_UID } from './dashboard-uids.ts'
import { histogram, rows } from './panels.ts'
import { DEVICE_NAME, pairsOf } from './sql.ts'

/** Names that boards use, as an event type or as a field of meta. */
const NAMES = `(values
    ('firmware', 'firmware'), ('fw', 'firmware'), ('fw_version', 'firmware'), ('version', 'firmware'),
    ('battery', 'battery'), ('batt', 'battery'), ('vbat', 'battery'), ('battery_level', 'battery'),
    ('rssi', 'rssi'), ('wifi_rssi', 'rssi'),
    ('heap', 'heap'), ('free_heap', 'heap'), ('heap_free', 'heap')
  ) as names(field, kind)`

/** As `newest`: the newest value of each board and kind, for the 500 boards seen last. */
const NEWEST = `
boards as (select * from devices order by last_seen desc nulls last limit 500),
told as (
  select device_id, lower(event_type) as field, coalesce(value_text, value_num::text) as value, unit, ts
  from series join boards using (device_id)
  union all
  select latest.device_id, lower(field.key), field.value, null, latest.ts
  from ${pairsOf('series join boards using (device_id)')}, newest_metas(devices, types) as latest,
    jsonb_each_text(case jsonb_typeof(latest.meta) when 'object' then latest.meta else '{}' end) as field
),
newest as (
  select distinct on (device_id, kind) device_id, kind, value, unit
  from told join ${NAMES} using (field)
  where value is not null
  order by device_id, kind, ts desc
)`

/** The value as a number, if it is one; a board may send anything. */
function numberOf(kind: string): string {
  return `max(case when value ~ '\\A-?\\d{1,15}(\\.\\d{1,20})?\\Z' then value::float8 end) filter (where kind = '${kind}')`
}

const table = rows({
  title: 'Boards',
  about:
    'What each board reports about itself: as events of type firmware, battery, rssi or heap, or as fields of that name in meta. –: not reported. Boots: events of type boot in this time range; many mean a weak power supply or crashes. A signal below −80 dBm loses messages.',
  sql: `
with ${NEWEST}
select
  boards.device_id as "Device",
  ${DEVICE_NAME} as "Name",
  max(value) filter (where kind = 'firmware') as "Firmware",
  ${numberOf('battery')} as "Battery",
  max(unit) filter (where kind = 'battery') as "Battery in",
  ${numberOf('rssi')} as "Signal",
  ${numberOf('heap')} as "Free heap",
  (
    select count(*) from series, events_between(series.device_id, series.event_type, $__timeFrom(), $__timeTo())
    where series.device_id = boards.device_id and lower(series.event_type) in ('boot', 'reboot', 'restart')
  ) as "Boots",
  date_part('epoch', now() - boards.last_seen) as "Last event"
from boards left join newest using (device_id)
group by boards.device_id, boards.label, boards.last_seen
order by "Boots" desc, 1`,
  width: 16,
  height: 16,
})
  .overrideByName('Device', [deviceLink])
  .overrideByName('Signal', [
    unit('suffix:dBm'),
    decimals(0),
    ...coloured('red', [-80, 'orange'], [-70, 'green']),
  ])
  .overrideByName('Free heap', [unit('bytes'), decimals(1)])
  .overrideByName('Boots', coloured('text', [5, 'orange'], [20, 'red']))
  .overrideByName('Last event', [...duration])

const firmware = histogram(
  {
    title: 'Firmware',
    about: 'Number of boards by firmware. A board that missed an update stands out.',
    sql: `
with ${NEWEST}
select value as "Firmware", count(*)::float8 as "Boards"
from newest
where kind = 'firmware'
group by 1
order by 2 desc
limit 20`,
    width: 8,
    height: 16,
    empty: 'No board sends its firmware.',
  },
  'Firmware',
)

/** The boards themselves: power, signal, memory, firmware, boots. */
export function boards(): Dashboard {
  return finishDashboard(
    startDashboard('Boards', BOARDS_UID, 'Firmware, battery, signal, free heap and boots of each board')
      .withPanel(table)
      .withPanel(firmware),
  )
}
