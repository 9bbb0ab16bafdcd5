import {
  AnnotationQueryBuilder,
  type Dashboard,
  IntervalVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { finishDashboard, startDashboard } from './dashboard.ts'
import { DEVICE_UID } from './dashboard-uids.ts'
import { DATA_SOURCE } from './data-source.ts'
import { arrivals, chart, timeline } from './device-charts.ts'
import { identity, latest, meta, raw, status } from './device-tables.ts'
import { isMeasured } from './measured.ts'
import { SERIES_OF_DEVICE } from './sql.ts'
import { SqlQueryBuilder } from './sql-query.ts'

const DEVICES = `
select device_id as __value, coalesce(nullif(label, '') || ' (' || device_id || ')', device_id) as __text
from devices
order by 2`

/** Sensors with a measurement among their last hundred events: what a chart can draw. */
const TYPES = `
with ${SERIES_OF_DEVICE}
select event_type
from series
where exists (
  select from newest_events(series.device_id, series.event_type, 100) as event where ${isMeasured('event')}
)
order by 1`

const saidInWords = new AnnotationQueryBuilder()
  .name('Text events')
  .datasource(DATA_SOURCE)
  .enable(true)
  .iconColor('orange')
  .target(
    new SqlQueryBuilder(
      'table',
      `
with ${SERIES_OF_DEVICE}
select event.ts as time, event.value_text as text, event.event_type as tags
from series, newest_events(
  series.device_id, series.event_type, 100, $__timeFrom(), $__timeTo(), only_texts => true
) as event
order by 1`,
    ),
  )

/** Everything about one device: the page to open when "the kitchen is broken". */
export function device(): Dashboard {
  return finishDashboard(
    startDashboard('One device', DEVICE_UID, 'Charts, status and raw events of the chosen device')
      .withVariable(
        new QueryVariableBuilder('device')
          .label('device')
          .datasource(DATA_SOURCE)
          .query(DEVICES.trim())
          .refresh(VariableRefresh.OnDashboardLoad)
          .sort(VariableSort.Disabled),
      )
      .withVariable(
        new QueryVariableBuilder('type')
          .label('sensors')
          .datasource(DATA_SOURCE)
          .query(TYPES.trim())
          .refresh(VariableRefresh.OnDashboardLoad)
          .sort(VariableSort.Disabled)
          .multi(true)
          .includeAll(true)
          .current({ text: ['All'], value: ['$__all'] }),
      )
      .withVariable(
        new IntervalVariableBuilder('interval')
          .label('interval')
          .description('Time covered by one point of a chart')
          .values('10s,1m,5m,15m,1h,6h,1d')
          .auto(true)
          .stepCount(300)
          .minInterval('10s')
          .current({ text: 'auto', value: '$__auto_interval_interval' }),
      )
      .annotation(saidInWords)
      .withPanel(status)
      .withPanel(identity)
      .withPanel(chart)
      .withPanel(timeline)
      .withPanel(latest)
      .withPanel(meta)
      .withPanel(arrivals)
      .withPanel(raw),
  )
}
