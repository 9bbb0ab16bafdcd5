import type { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { colour } from './columns.ts'
import { bars } from './panels.ts'
import { bucket, perMinute } from './sql.ts'

/* Panels of more than one dashboard. */

export function outcomesPerMinute(width: number, height: number): PanelBuilder {
  return bars({
    title: 'Events per minute by outcome',
    about:
      'Outcomes of the received events. A gap is a time without events: is the ingester running (qs doctor)? Many duplicates: devices do not get their device acks. Any rejected: see "Data quality".',
    sql: `
select
  ${bucket('minute')} as time,
  ${perMinute('stored')} as "stored",
  ${perMinute('duplicate')} as "duplicate",
  ${perMinute('rejected')} as "rejected"
from ingest_stats
where $__timeFilter(minute)
group by 1
order by 1`,
    width,
    height,
  })
    .unit('short')
    .overrideByName('stored', [colour('green')])
    .overrideByName('duplicate', [colour('blue')])
    .overrideByName('rejected', [colour('red')])
}

export function deadLettersByCode(width: number): PanelBuilder {
  return bars({
    title: 'Dead letters by code',
    about:
      'Events that can never be stored, by reason; docs/reference/dead-letter-codes.md says what to do about each. They are kept: repair with qs deadletter fix and send again with qs deadletter replay.',
    sql: `
select ${bucket('received_at')} as time, code as metric, count(*)::float8 as "dead letters"
from dead_letters
where $__timeFilter(received_at)
group by 1, 2
order by 1`,
    width,
    empty: 'No dead letters in this time range, as it should be.',
  }).unit('short')
}
