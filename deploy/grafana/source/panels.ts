import * as barchart from '@grafana/grafana-foundation-sdk/barchart'
import {
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  type DataTransformerConfig,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline'
import * as table from '@grafana/grafana-foundation-sdk/table'
import * as text from '@grafana/grafana-foundation-sdk/text'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'
import { DATA_SOURCE } from './data-source.ts'
import { type SqlFormat, SqlQueryBuilder } from './sql-query.ts'

/** What every panel has: a title, a description that says what to do, a size and a query. */
export interface PanelSpec {
  readonly title: string
  readonly about: string
  readonly sql: string
  /** Of 24 columns. */
  readonly width: number
  /** In rows of about 30 pixels. Default 8. */
  readonly height?: number
  /** Replaces the general text for a panel without data. */
  readonly empty?: string
}

const EMPTY =
  'No data here yet. Send an event (qs publish --device kitchen --type temp --value 21.5) or choose a longer time range.'

interface PanelBuilder {
  title(title: string): this
  description(description: string): this
  datasource(datasource: typeof DATA_SOURCE): this
  span(width: number): this
  height(height: number): this
  noValue(text: string): this
}

function described<T extends PanelBuilder>(panel: T, { title, about, width, height, empty }: PanelSpec): T {
  return panel
    .title(title)
    .description(about)
    .datasource(DATA_SOURCE)
    .span(width)
    .height(height ?? 8)
    .noValue(empty ?? EMPTY)
}

/** Text of a single empty cell or number. The `noValue` of the panel would fill each of them with its sentence. */
const NOTHING = '–'

/** Lines over time, one for each number or `metric`. A null is a gap. */
export function lines(spec: PanelSpec): timeseries.PanelBuilder {
  return drawn(spec, 'time_series')
}

/**
 * Lines over time from rows of `time`, a name and `Value`, where each line has its own times. As a time series they
 * would share all times, and a gap would look like a time that only another line has.
 */
export function linesByName(spec: PanelSpec, nameColumn: string, unitSql?: string): timeseries.PanelBuilder {
  const panel = drawn(spec, 'table').fillOpacity(0)
  return (unitSql === undefined ? panel : withUnit(panel, unitSql))
    .withTransformation({ id: 'sortBy', options: { fields: {}, sort: [{ field: nameColumn }] } })
    .withTransformation(lineForEach(nameColumn))
}

/** Takes the unit of a chart from the column `unit` of a query's only row. */
export function withUnit(panel: timeseries.PanelBuilder, sql: string): timeseries.PanelBuilder {
  return panel.withTarget(new SqlQueryBuilder('table', sql, 'unit')).withTransformation({
    id: 'configFromData',
    options: { configRefId: 'unit', mappings: [{ fieldName: 'unit', handlerKey: 'unit' }] },
  })
}

/** How long each state lasted, from rows of `time`, a name and a text. */
export function states(spec: PanelSpec, nameColumn: string): statetimeline.PanelBuilder {
  return described(new statetimeline.PanelBuilder(), spec)
    .withTarget(new SqlQueryBuilder('table', spec.sql))
    .withTransformation(lineForEach(nameColumn))
    .mergeValues(true)
    .spanNulls(true)
    .rowHeight(0.8)
    .legend(legend())
}

/** Splits rows into a frame for each value of a column. */
function lineForEach(column: string): DataTransformerConfig {
  return {
    id: 'partitionByValues',
    options: { fields: [column], keepFields: false, naming: { asLabels: true } },
  }
}

function drawn(spec: PanelSpec, format: SqlFormat): timeseries.PanelBuilder {
  return described(new timeseries.PanelBuilder(), spec)
    .withTarget(new SqlQueryBuilder(format, spec.sql))
    .spanNulls(false)
    .legend(legend())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .lineWidth(1)
    .fillOpacity(8)
    .showPoints(VisibilityMode.Auto)
    .pointSize(4)
}

/** Counts over time, stacked, on an axis of whole numbers. The finest interval is a minute, as in ingest_stats. */
export function bars(spec: PanelSpec): timeseries.PanelBuilder {
  return lines(spec)
    .drawStyle(GraphDrawStyle.Bars)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .fillOpacity(70)
    .lineWidth(0)
    .min(0)
    .decimals(0)
    .interval('1m')
    .maxDataPoints(200)
}

/** One big number for each column of the only row. */
export function numbers(spec: PanelSpec): stat.PanelBuilder {
  return described(new stat.PanelBuilder(), { height: 4, ...spec, empty: NOTHING })
    .withTarget(new SqlQueryBuilder('table', spec.sql))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false))
    .wideLayout(false)
    .thresholds(thresholds('text'))
}

export function rows(spec: PanelSpec): table.PanelBuilder {
  return described(new table.PanelBuilder(), spec)
    .withTarget(new SqlQueryBuilder('table', spec.sql))
    .filterable(true)
    .thresholds(thresholds('text'))
    .overrideByRegexp('/.*/', [{ id: 'noValue', value: NOTHING }])
}

/** A bar for each row: its first column names it. */
export function histogram(spec: PanelSpec, nameColumn: string): barchart.PanelBuilder {
  return described(new barchart.PanelBuilder(), spec)
    .withTarget(new SqlQueryBuilder('table', spec.sql))
    .xField(nameColumn)
    .showValue(VisibilityMode.Auto)
    .legend(new VizLegendOptionsBuilder().showLegend(false))
}

/** A line of help in the dashboard itself; the only panel without a query. */
export function note(markdown: string): text.PanelBuilder {
  return new text.PanelBuilder()
    .mode(text.TextMode.Markdown)
    .content(markdown)
    .span(24)
    .height(2)
    .transparent(true)
}

/** A base colour, and another one from each value on. */
export function thresholds(
  base: string,
  ...steps: readonly (readonly [number, string])[]
): ThresholdsConfigBuilder {
  const all: Threshold[] = [
    { value: null, color: base },
    ...steps.map(([value, color]) => ({ value, color })),
  ]
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(all)
}

function legend(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
}
