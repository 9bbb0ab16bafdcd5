import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { colour, coloured, decimals, deviceLink, duration, judged, second, unit, width } from './columns.ts'
import { finishDashboard, startDashboard } from './dashboard.ts'
import { DATA_QUALITY_UID } from './dashboard-uids.ts'
import { deadLettersByCode } from './outcomes.ts'
import { histogram, lines, numbers, rows } from './panels.ts'
import { bucket, MOST_DEVICES, milliseconds, pairsOf, TOLD, voices, withGaps } from './sql.ts'

const summary = numbers({
  title: 'Outcomes in this time range',
  about:
    'Shares of all received events. Duplicates cost only air time: above a few percent, devices do not wait long enough for their device acks, or do not get them. Rejected should be zero.',
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
    'From device time to server time, if the device time is plausible. It includes the error of the clock, so below a second it means little. For the 1,000 devices seen last. A high 99 % with a low median: some devices were offline and sent their backlog later, as intended.',
  sql: `
with ${voices('true', MOST_DEVICES)}
select p[1] as "Half within", p[2] as "95 % within", p[3] as "99 % within", worst as "Longest"
from (
  select percentile_cont(array[0.5, 0.95, 0.99]) within group (order by delay) as p, max(delay) as worst
  from (
    select ${milliseconds('ts_server - ts_device')} as delay
    from ${TOLD}
    where ts_device = ts
  ) as delays
) as percentiles`,
  width: 12,
}).unit('suffix:s')

const shares = lines({
  title: 'Duplicate and rejected share',
  about:
    'A step in duplicates: a bad network, or a firmware that does not read its device acks. A step in rejected: a new firmware with a fault; compare with "Dead letters by code".',
  sql: `
with ${withGaps(
    `
  select
    ${bucket('minute')} as time,
    (sum(duplicate) / nullif(sum(received), 0))::float8 as "duplicate",
    (sum(rejected) / nullif(sum(received), 0))::float8 as "rejected"
  from ingest_stats
  where $__timeFilter(minute)
  group by 1`,
    ['duplicate', 'rejected'],
  )}`,
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
    'Why it was refused and what to do, with the start of the payload. qs deadletter show NUMBER prints all of one, fix repairs it, replay sends it again.',
  sql: `
select
  dead_letter_id as "Number",
  received_at as "Received",
  device_id as "Device",
  code as "Code",
  error as "Reason and what to do",
  left(encode(substring(payload from 1 for 300), 'escape'), 300) as "Payload (start)"
from dead_letters
where $__timeFilter(received_at)
order by received_at desc
limit 100`,
  width: 24,
  height: 10,
  empty: 'No dead letters in this time range, as it should be.',
})
  .overrideByName('Number', [unit('none'), width(90)])
  .overrideByName('Received', [...second])
  .overrideByName('Device', [deviceLink, width(150)])
  .overrideByName('Code', [width(170)])
  .overrideByRegexp('/^(Reason|Payload)/', [{ id: 'custom.inspect', value: true }])

/**
 * Only sensors with a rhythm: a door has no usual interval, and every night would be "100 times the usual". The rhythm
 * is that of arrivals, so the hour between two batches is not a gap. An ongoing silence counts too.
 */
const gaps = rows({
  title: 'Gaps: longest silence of each sensor',
  about:
    'The longest time without an event, for sensors that report regularly, against their usual interval (a third of the time after which they count as silent). Three times or more: the sensor hung, the device was off, or it lost events. If all sensors of a device have gaps, check the device; if only one has, check that sensor. For the 1,000 devices seen last.',
  sql: `
with regular as (
  select * from series
  where silent_after is not null
    and device_id in (select device_id from devices order by last_seen desc nulls last limit ${MOST_DEVICES})
)
select
  device_id as "Device",
  event_type as "Sensor",
  longest as "Longest silence",
  usual as "Usual interval",
  longest / usual as "Times the usual",
  events as "Events",
  latest as "Last event"
from (
  select device_id, event_type, regular.silent_after / 3 as usual, silence.events::float8, latest,
    date_part('epoch', greatest(
      silence.longest,
      case when is_silent(regular.last_seen, regular.silent_after) then least(now(), $__timeTo()::timestamptz) - latest end
    )) as longest
  from regular join (
    select silence.*
    from ${pairsOf('regular')}, gaps_between(devices, types, $__timeFrom(), $__timeTo()) as silence
  ) as silence using (device_id, event_type)
  where silence.events > 2
) as silences
order by 5 desc
limit 100`,
  width: 14,
  height: 11,
  empty: 'No sensor sent three events at a regular interval in this time range.',
})
  .overrideByName('Device', [deviceLink])
  .overrideByRegexp('/^(Longest silence|Usual interval)$/', [...duration])
  .overrideByName('Last event', [...second])
  .overrideByName('Times the usual', [
    unit('suffix:×'),
    decimals(1),
    ...coloured('green', [3, 'yellow'], [10, 'orange'], [100, 'red']),
  ])

const late = histogram(
  {
    title: 'Late arrivals',
    about:
      'Share of events by their delay from device to server, by the busiest sensor of each of the 1,000 devices seen last. A hill on the right is a backlog after an outage. "clock ahead": the device time is in the future; see "Clock drift".',
    sql: `
with ${voices('true', MOST_DEVICES)},
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

/** What was received, refused, missing and late, and why. */
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
