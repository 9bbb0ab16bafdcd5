import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { colour, coloured, decimals, deviceLink, judged, unit, width } from './columns.ts'
import { finishDashboard, startDashboard } from './dashboard.ts'
import { DATA_QUALITY_UID } from './dashboard-uids.ts'
import { deadLettersByCode } from './outcomes.ts'
import { histogram, lines, numbers, rows } from './panels.ts'
import { bucket, eventsOf, SERIES, TOLD, VOICES } from './sql.ts'

const summary = numbers({
  title: 'Outcomes in this time',
  about:
    'Shares of all events that came in. Duplicates cost nothing but air time: above a few percent, devices wait too short for their device acks or do not get them. Rejected should be zero.',
  sql: `
select
  coalesce(sum(received), 0)::float8 as "Received",
  (sum(duplicate) / nullif(sum(received), 0))::float8 as "Duplicate",
  (sum(rejected) / nullif(sum(received), 0))::float8 as "Rejected",
  (select count(*)::float8 from dead_letters where $__timeFilter(received_at)) as "Dead letters"
from ingest_stats
where $__timeFilter(minute)`,
  width: 12,
})
  .unit('short')
  .overrideByName('Duplicate', [unit('percentunit'), decimals(2), ...judged('green', [0.05, 'orange'])])
  .overrideByName('Rejected', [
    unit('percentunit'),
    decimals(2),
    ...judged('green', [0.0001, 'orange'], [0.01, 'red']),
  ])
  .overrideByName('Dead letters', judged('green', [1, 'orange']))

const delays = numbers({
  title: 'Delay from device to server',
  about:
    'From the device time to the server time, where the device time is plausible. It holds the error of the clock too, so below a second it means little. A high 99 % with a low median: some devices were offline and sent later; that is what the backlog is for.',
  sql: `
with ${VOICES}
select p[1] as "Half within", p[2] as "95 % within", p[3] as "99 % within", worst as "Longest"
from (
  select percentile_cont(array[0.5, 0.95, 0.99]) within group (order by delay) as p, max(delay) as worst
  from (
    select date_part('epoch', ts_server - ts_device) as delay
    from ${TOLD}
    where ts_device = ts
  ) as delays
) as percentiles`,
  width: 12,
})
  .unit('s')
  .decimals(1)

const shares = lines({
  title: 'Duplicate and rejected share',
  about:
    'A step in duplicates: a bad network, or a firmware that does not read its device acks. A step in rejected: a new firmware with a fault; compare with "Dead letters by code".',
  sql: `
select
  ${bucket('minute')} as time,
  (sum(duplicate) / nullif(sum(received), 0))::float8 as "duplicate",
  (sum(rejected) / nullif(sum(received), 0))::float8 as "rejected"
from ingest_stats
where $__timeFilter(minute)
group by 1
order by 1`,
  width: 12,
})
  .unit('percentunit')
  .min(0)
  .interval('1m')
  .maxDataPoints(300)
  .overrideByName('duplicate', [colour('blue')])
  .overrideByName('rejected', [colour('red')])

const latestDeadLetters = rows({
  title: 'Latest dead letters',
  about:
    'Why it was refused and what to do, with the start of what came. qs deadletter show NUMBER prints all of one, fix repairs, replay sends it again.',
  sql: `
select
  dead_letter_id as "Number",
  received_at as "Received",
  coalesce(device_id, '') as "Device",
  code as "Code",
  error as "Reason and what to do",
  left(encode(substring(payload from 1 for 300), 'escape'), 300) as "Payload (start)"
from dead_letters
where $__timeFilter(received_at)
order by received_at desc
limit 100`,
  width: 24,
  height: 10,
  empty: 'No dead letters in this time. That is how it should be.',
})
  .overrideByName('Number', [unit('none'), width(90)])
  .overrideByName('Received', [width(170)])
  .overrideByName('Device', [deviceLink, width(150)])
  .overrideByName('Code', [width(170)])
  .overrideByRegexp('/^(Reason|Payload)/', [{ id: 'custom.inspect', value: true }])

/** The time from the last event to the end of what is shown counts too: that is the silence one is in. */
const gaps = rows({
  title: 'Gaps: longest silence of each sensor',
  about:
    'The longest time without an event, against the usual time between two (mean of the others). Many times the usual: the sensor hung, the device was off, or its events are lost on the device. One device with all sensors: the device; one sensor of it: the sensor.',
  sql: `
with ${SERIES}
select
  device_id as "Device",
  event_type as "Sensor",
  date_part('epoch', greatest(longest, silent)) as "Longest silence",
  usual as "Usual interval",
  date_part('epoch', greatest(longest, silent)) / nullif(usual, 0) as "Times the usual",
  events as "Events",
  latest as "Last event"
from (
  select series.*, silence.*,
    least(now(), $__timeTo()::timestamptz) - latest as silent,
    date_part('epoch', latest - earliest - longest) / (events - 2) as usual
  from series, lateral (
    select max(gap) as longest, count(*)::float8 as events, min(ts) as earliest, max(ts) as latest
    from (
      select ts, ts - lag(ts) over (order by ts) as gap
      from ${eventsOf('series')}
    ) as gaps
  ) as silence
  where events > 2
) as silences
order by 5 desc nulls last
limit 100`,
  width: 14,
  height: 11,
})
  .overrideByName('Device', [deviceLink])
  .overrideByRegexp('/^(Longest silence|Usual interval)$/', [unit('s'), decimals(0)])
  .overrideByName('Times the usual', [
    unit('suffix: ×'),
    decimals(0),
    ...coloured('green', [5, 'yellow'], [20, 'orange'], [100, 'red']),
  ])

const late = histogram(
  {
    title: 'Late arrivals',
    about:
      'Share of events by their delay from device to server, by the most talkative sensor of each device. A hill to the right is a backlog after an outage. "clock ahead": the device time is in the future; see "Clock drift".',
    sql: `
with ${VOICES},
places as (
  select width_bucket(date_part('epoch', ts_server - ts_device), array[0, 1, 10, 60, 600, 3600, 86400]::float8[]) + 1 as place
  from ${TOLD}
  where ts_device = ts
)
select
  (array['clock ahead', 'under 1 s', '1–10 s', '10–60 s', '1–10 min', '10–60 min', '1–24 h', 'over a day'])[place] as "Delay",
  (count(*) / sum(count(*)) over ())::float8 as "Share of events"
from places
group by place
order by place`,
    width: 10,
    height: 11,
  },
  'Delay',
).unit('percentunit')

/** What came, what was refused and why, what is missing, what was late. */
export function dataQuality(): Dashboard {
  return finishDashboard(
    startDashboard('Data quality', DATA_QUALITY_UID, 'Dead letters, duplicates, gaps and late arrivals')
      .withPanel(summary)
      .withPanel(delays)
      .withPanel(deadLettersByCode(12))
      .withPanel(shares)
      .withPanel(latestDeadLetters)
      .withPanel(gaps)
      .withPanel(late),
  )
}
