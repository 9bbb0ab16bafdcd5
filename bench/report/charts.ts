import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BarGroup, bars } from './bars.ts'
import { lines } from './lines.ts'
import type { Report } from './report.ts'
import { type Summary, summarise } from './summary.ts'
import { sheet } from './svg.ts'

const OURS = '#2563eb'
const LIMIT = '#9ca3af'
const OTHERS = '#d97706'
const LATENCY = { p50: '#93c5fd', p99: '#2563eb', p999: '#1e3a8a' } as const

const RATES = [
  {
    title: 'Single events, 100 devices: events per second',
    bars: [
      ['single-events', 'qs ingest', OURS],
      ['broker-limit', 'limit: the broker alone', LIMIT],
      ['telegraf-single-events', 'Telegraf (no device ack)', OTHERS],
      ['node-red-single-events', 'Node-RED (PUBACK before the write)', OTHERS],
      ['original-single-events', 'one INSERT per event, Python', OTHERS],
    ],
  },
  {
    title: '100 events per message: events per second',
    bars: [
      ['arrays-of-100', 'qs ingest', OURS],
      ['copy-limit', 'limit: COPY from a file', LIMIT],
      ['telegraf-arrays-of-100', 'Telegraf (no device ack)', OTHERS],
      ['node-red-arrays-of-100', 'Node-RED (PUBACK before the write)', OTHERS],
    ],
  },
] as const

const LATENCIES = [
  ['lone-event', 'One event at a time'],
  ['paced-100', 'At 100 events per second'],
  ['paced-5000', 'At 5,000 events per second'],
] as const

/**
 * Writes a chart of rates, one of latencies and one of growth, as far as the reports have the figures; for each
 * scenario the first report that has it counts.
 *
 * @returns the files written
 */
export function writeCharts(reports: readonly Report[], directory: string): readonly string[] {
  const [first] = reports
  if (first === undefined) return []
  const found = new Map<string, Summary>()
  for (const summary of reports.flatMap(summarise)) {
    const { name } = summary.scenario
    if (!found.has(name) && summary.rate !== null && summary.faults.length === 0) found.set(name, summary)
  }
  const charts = { rates: rates(found), latency: latency(found), growth: growth(found) }
  return Object.entries(charts).flatMap(([name, chart]) => {
    if (chart === null) return []
    const file = join(directory, `performance-${name}.svg`)
    writeFileSync(file, sheet({ ...chart, caption: captionOf(first) }))
    return [file]
  })
}

type Found = ReadonlyMap<string, Summary>

function rates(found: Found) {
  const groups = RATES.map(({ title, bars: rows }): BarGroup => {
    const there = rows.flatMap(([name, label, color]) => {
      const rate = found.get(name)?.rate
      return rate ? [{ label, color, value: rate.median }] : []
    })
    return { title, bars: there }
  }).filter(({ bars: there }) => there.length > 0)
  return groups.length === 0 ? null : { title: 'Rates, verified row by row', ...bars(groups, 0) }
}

function latency(found: Found) {
  const groups = LATENCIES.flatMap(([name, title]): readonly BarGroup[] => {
    const summary = found.get(name)
    if (!summary?.p50Ms || !summary.p99Ms || !summary.p999Ms) return []
    const values = [
      { label: 'p50', value: summary.p50Ms.median, color: LATENCY.p50 },
      { label: 'p99', value: summary.p99Ms.median, color: LATENCY.p99 },
      { label: 'p99.9', value: summary.p999Ms.median, color: LATENCY.p999 },
    ]
    return [{ title, bars: values }]
  })
  return groups.length === 0 ? null : { title: 'From publish to device ack, in ms', ...bars(groups, 2) }
}

function growth(found: Found) {
  const drawn = (['ordered', 'random'] as const).flatMap((ids) => {
    const points = [...found.values()].flatMap(({ scenario, rate }) =>
      scenario.groups.includes('growth') && scenario.ids === ids && scenario.rowsThere !== null && rate
        ? [{ x: scenario.rowsThere, y: rate.median }]
        : [],
    )
    return points.length < 2
      ? []
      : [{ label: `${ids} ids`, color: ids === 'ordered' ? OURS : OTHERS, points }]
  })
  if (drawn.length === 0) return null
  const axes = { x: 'rows already in the table', y: 'events per second, arrays of 100' }
  return { title: 'The rate as the table grows', ...lines(drawn, axes) }
}

function captionOf({ date, machine, versions, rounds }: Report): readonly string[] {
  const { Mosquitto, PostgreSQL, Node } = versions
  const turns = rounds === 1 ? 'one round' : `median of ${rounds} rounds`
  return [
    `${date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores shared by publisher, broker, ingester and PostgreSQL; ${turns}`,
    `Mosquitto ${Mosquitto}, PostgreSQL ${PostgreSQL}, Node ${Node ?? process.versions.node}; npm run bench`,
  ]
}
