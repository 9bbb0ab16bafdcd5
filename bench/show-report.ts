import { mkdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { writeCharts } from './report/charts.ts'
import type { Report } from './report/report.ts'
import { summarise } from './report/summary.ts'
import { printMarkdown } from './report/text.ts'

const HELP = `Makes tables and charts for the docs from reports of \`npm run bench -- --json FILE\`.

  npm run bench:report -- REPORT.json… [--charts DIR]

  --charts DIR     writes performance-rates.svg, performance-latency.svg and performance-growth.svg there, as far
                   as the reports have the figures; prints no tables

Example
  npm run bench:report -- report.json growth.json --charts docs/images`

/** @throws if it is not a report */
function readReport(file: string): Report {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Partial<Report>
  if (!Array.isArray(report.runs) || !Array.isArray(report.scenarios)) {
    throw new Error(`${file} is not a report of the bench: make one with npm run bench -- --json FILE`)
  }
  return report as Report
}

function show(files: readonly string[], directory: string | undefined): void {
  const reports = files.map(readReport)
  if (directory === undefined) {
    for (const report of reports) console.log(`${printMarkdown(report, summarise(report))}\n`)
    return
  }
  mkdirSync(directory, { recursive: true })
  for (const file of writeCharts(reports, directory)) console.log(`wrote ${file}`)
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { charts: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help || positionals.length === 0) {
    console.log(HELP)
    process.exitCode = values.help ? 0 : 2
  } else show(positionals, values.charts)
} catch (error) {
  console.error(`error: ${(error as Error).message}`)
  process.exitCode = 1
}
